import { beforeEach, expect, test, vi } from 'vitest';
import type { OpenOptions, OrtSession } from '../../benchmark/session';
import { type Deferred, deferred } from '../../deferred';
import { LabError, unlessAborted } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { fitTogether, sessionBudget, sessionBytes } from './sessionBudget';
import { SessionPool } from './sessionPool';

/** What happened to sessions, in order: 'open a', 'release a'. */
let log: string[];
/** Until these are settled the sessions of a name do not open. */
let gates: Map<string, Deferred<void>>;
/** Sessions that are open. */
let alive: Set<string>;
/** Creations that find no room while other sessions are open. */
let crowded: Set<string>;

/** A pool whose sessions are no more than their names. */
const newPool = (): SessionPool =>
  new SessionPool(undefined, async ({ name = '', signal, evictIdle, weights }) => {
    await evictIdle?.(weights as unknown as number);
    await unlessAborted(gates.get(name)?.promise ?? Promise.resolve(), signal);
    log.push(`open ${name}`);
    if (crowded.has(name) && alive.size > 0) throw new LabError('out-of-memory', 'std::bad_alloc', 'Less.');
    alive.add(name);
    const release = async (): Promise<void> => {
      log.push(`release ${name}`);
      alive.delete(name);
    };
    return { release } as unknown as OrtSession;
  });

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  log = [];
  gates = new Map();
  alive = new Set();
  crowded = new Set();
});

/** Of every variant: sessions are told apart by the variants' ids alone. */
const shape = { layers: [] } as unknown as ModelShape;
const check = async (): Promise<void> => undefined;
const gigabyte = 2 ** 30;

function options(name: string, weightBytes = 1, signal?: AbortSignal): OpenOptions {
  const some = { name, runtime: 'ort-wasm', shape, weights: weightBytes, signal };
  return some as unknown as OpenOptions;
}

const use = (pool: SessionPool, ...what: Parameters<typeof options>): Promise<string> =>
  pool.use(what[0], options(...what), check, async () => 'done');

test('a caller who waits for a session that another one opens is not stopped by the other', async () => {
  const pool = newPool();
  const gate = deferred();
  gates.set('a', gate);
  const first = new AbortController();
  const stopped = use(pool, 'a', 1, first.signal);
  const served = use(pool, 'a');
  first.abort();
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' }); // while the session is still opening
  gate.resolve();
  expect(await served).toBe('done');
  expect(log).toEqual(['open a']);
});

test('the opening stops when everybody who waited has left; who comes then opens it anew', async () => {
  const pool = newPool();
  gates.set('a', deferred());
  const controllers = [new AbortController(), new AbortController()];
  const waiting = controllers.map(({ signal }) => use(pool, 'a', 1, signal));
  for (const controller of controllers) controller.abort();
  for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'aborted' });
  gates.clear();
  expect(await use(pool, 'a')).toBe('done');
  expect(log).toEqual(['open a']);
});

test('idle sessions go before another one opens, the longest unused first, as many as its bytes need', async () => {
  const pool = newPool();
  await use(pool, 'a', 0.6 * gigabyte);
  await use(pool, 'b', 0.6 * gigabyte);
  await use(pool, 'c', 0.6 * gigabyte);
  await use(pool, 'a', 0.6 * gigabyte); // b is now the longest unused
  expect(log).toEqual(['open a', 'open b', 'open c']);
  await use(pool, 'd', 0.6 * gigabyte);
  expect(log.slice(3)).toEqual(['release b', 'open d']);
  await use(pool, 'e', 1.2 * gigabyte);
  expect(log.slice(5)).toEqual(['release c', 'release a', 'open e']);
  expect(pool.bytes('ort-wasm')).toBeLessThanOrEqual(sessionBudget('ort-wasm', null));
});

test('small sessions stay, however many; one that is larger than the budget opens alone', async () => {
  const pool = newPool();
  for (let i = 0; i < 20; i++) await use(pool, `small ${i}`, 2 ** 20);
  expect(log.filter((line) => line.startsWith('release'))).toEqual([]);
  await use(pool, 'huge', 3.5 * gigabyte);
  expect(alive).toEqual(new Set(['huge']));
});

test('two sessions of 362 million weights in f32 do not lie in the heap of wasm side by side', () => {
  expect(2 * sessionBytes('ort-wasm', 4 * 361_821_120)).toBeGreaterThan(sessionBudget('ort-wasm', null));
  expect(sessionBudget('ort-webgpu', gigabyte)).toBe(gigabyte);
});

test('a session at work stays when another one needs its bytes', async () => {
  const pool = newPool();
  const work = deferred();
  const busy = pool.use('a', options('a', 2 * gigabyte), check, () => work.promise);
  await use(pool, 'b', 2 * gigabyte);
  expect(log).toEqual(['open a', 'open b']);
  work.resolve();
  await busy;
});

test('where memory runs out, every idle session goes and the call is tried once more', async () => {
  const pool = newPool();
  await use(pool, 'a');
  await use(pool, 'b');
  crowded.add('c');
  expect(await use(pool, 'c')).toBe('done');
  expect(log).toEqual(['open a', 'open b', 'open c', 'release a', 'release b', 'open c']);
});

test('memory that runs out during the work has it begun anew with a new session; once', async () => {
  const pool = newPool();
  let tries = 0;
  const work = async (): Promise<never> => {
    tries += 1;
    throw new LabError('out-of-memory', 'std::bad_alloc', 'Less.');
  };
  await expect(pool.use('a', options('a'), check, work)).rejects.toMatchObject({
    code: 'out-of-memory',
    remedy: expect.stringContaining('lab.restart()'),
  });
  expect(tries).toBe(2);
  expect(log).toEqual(['open a', 'release a', 'open a']);
});

test('two sessions that are wanted at once and do not fit are not tried twice', async () => {
  const pool = newPool();
  crowded.add('b');
  const both = pool.use('a', options('a'), check, () => use(pool, 'b'));
  await expect(both).rejects.toMatchObject({ code: 'out-of-memory' });
  expect(log).toEqual(['open a', 'open b']);
});

test('a discarded variant frees its session, after its work where it is at work', async () => {
  const pool = newPool();
  await use(pool, 'a');
  await pool.discard('a');
  expect(log).toEqual(['open a', 'release a']);
  const work = deferred();
  const begun = deferred();
  const busy = pool.use('b', options('b'), check, () => {
    begun.resolve();
    return work.promise;
  });
  await begun.promise;
  await pool.discard('b');
  expect(log).toEqual(['open a', 'release a', 'open b']);
  work.resolve();
  await busy;
  await vi.waitFor(() => expect(pool.bytes('ort-wasm')).toBe(0));
  expect(log.at(-1)).toBe('release b');
});

test('closing frees every session, and opens none any more', async () => {
  const pool = newPool();
  await use(pool, 'a');
  await use(pool, 'b');
  await pool.dispose();
  expect(alive.size).toBe(0);
  await expect(use(pool, 'a')).rejects.toMatchObject({ code: 'not-loaded' });
});

test('two variants of equal shape have sessions of their own', async () => {
  const pool = newPool();
  expect(await use(pool, 'a')).toBe('done');
  expect(await use(pool, 'b')).toBe('done');
  expect(log).toEqual(['open a', 'open b']);
});

test('the session of an unlisted variant stays when the variant is listed under another id', async () => {
  const pool = newPool();
  await use(pool, 'plan1');
  pool.rename('plan1', 'v1');
  expect(await pool.use('v1', options('v1'), check, async () => 'done')).toBe('done');
  expect(log).toEqual(['open plan1']);
  await pool.discard('v1');
  expect(log).toEqual(['open plan1', 'release plan1']);
});

test('sessions fit side by side as long as weights, what each has besides, and caches are within the budget', () => {
  const sizes = (count: number, weights: number, cache = 0) =>
    Array.from({ length: count }, () => ({ weights, cache }));
  expect(fitTogether('ort-wasm', sizes(2, 1e9), null)).toBe(true); // 2.8 of 3 GiB
  expect(fitTogether('ort-wasm', sizes(3, 1e9), null)).toBe(false);
  expect(fitTogether('ort-webgpu', sizes(3, 1e9), null)).toBe(true);
  expect(fitTogether('ort-webgpu', sizes(3, 1e9), 2e9)).toBe(false);
  expect(fitTogether('ort-webgpu', sizes(3, 1e9, 1e9), null)).toBe(false);
});
