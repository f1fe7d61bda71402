import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../errors';
import type { KvCache } from './cache';
import { measureLatency } from './latency';
import { measurePaired, type WithSession } from './paired';
import { measureRounds, orderOfRound } from './rounds';
import type { Forward, OrtSession } from './session';

/** A machine whose clock the test turns: each forward pass takes `cost` ms, times how slow the machine is by then. */
let now = 0;
let slowness = (_now: number): number => 1;
/** What ran, in order. */
let log: string[] = [];

beforeEach(() => {
  now = 0;
  slowness = () => 1;
  log = [];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

const vocab = 5;

function fakeSession(name: string, cost: number, logit = 1): OrtSession {
  const forward: Forward = async ({ rows }) => {
    now += cost * slowness(now);
    return new Float32Array(rows.length * vocab).fill(logit);
  };
  const cache = { batch: 1, bytes: 8, reset: () => undefined, dispose: () => log.push(`${name} cache gone`) };
  return {
    shape: { vocab, layers: [{ heads: 1 }] },
    runtime: 'ort-wasm',
    device: { adapter: 'CPU', software: false, runtime: 'fake' },
    graph: { report: { precision: 'f32', widenedBytes: 0, weightBytes: 100 } },
    forward,
    exclusively: (job: (forward: Forward) => Promise<unknown>) => {
      log.push(name);
      return job(forward);
    },
    openCache: () => cache as unknown as KvCache,
    release: async () => undefined,
  } as unknown as OrtSession;
}

const having =
  (session: OrtSession): WithSession =>
  (work) =>
    work(session);
const counts = { promptTokens: 4, newTokens: 4, warmups: 1, runs: 8 };

test('a machine that slows to a third meanwhile: medians one after the other are wrong, the paired ratio is not', async () => {
  const [whole, cut] = [fakeSession('whole', 3), fakeSession('cut', 2)];
  // Three times as slow at the end of either way of measuring.
  const drift = (all: number) => (time: number) => 3 ** Math.min(1, time / all);
  slowness = drift(300);
  const first = await measureLatency(whole, counts);
  const second = await measureLatency(cut, counts);
  const inferred = first[0]!.latencyMs / second[0]!.latencyMs;
  expect(inferred).toBeLessThan(1.2);

  now = 0;
  const [found] = await measurePaired(having(whole), having(cut), counts);
  expect(slowness(now)).toBeGreaterThan(2.5);
  expect(found!.latency.ratio).toBeGreaterThan(1.47);
  expect(found!.latency.ratio).toBeLessThan(1.53);
  expect(found!.latency.low).toBeLessThan(1.5);
  expect(found!.latency.high).toBeGreaterThan(1.5);
  expect(found!.latency.low).toBeGreaterThan(1);
  expect(found!).toMatchObject({ pairs: 8, inTurns: true });
  expect(found!.decode?.ratio).toBeCloseTo(1.5, 1);
});

test('the order alternates, and both warm up', async () => {
  await measurePaired(having(fakeSession('A', 1)), having(fakeSession('B', 1)), { ...counts, warmups: 1, runs: 4 });
  expect(log.join(' ')).toBe('A B A B B A A B B A A cache gone B cache gone');
});

test('of several sessions every one runs once in a round, each as often at every place, and never always behind the same one', async () => {
  for (const count of [3, 4, 7]) {
    const rounds = Array.from({ length: 2 * count }, (_, round) => orderOfRound(round, count));
    for (let place = 0; place < count; place++) {
      const there = rounds.map((order) => order[place]!).sort((a, b) => a - b);
      expect(there).toEqual(Array.from({ length: 2 * count }, (_, at) => Math.floor(at / 2)));
    }
    const behind = new Set(rounds.flatMap((order) => order.slice(1).map((index, at) => `${order[at]} ${index}`)));
    expect(behind.size).toBeGreaterThanOrEqual(2 * count);
  }
  const sessions = [3, 2, 5].map((cost, index) => having(fakeSession('ABC'[index]!, cost)));
  const { batches, inTurns } = await measureRounds(sessions, { ...counts, warmups: 0, runs: 6 });
  expect(inTurns).toBe(true);
  expect(log.filter((each) => each.length === 1).join('')).toBe('ABCCBABCAACBCABBAC');
  expect(batches[0]!.map(({ measurement, times }) => [measurement.decodeMsPerToken, times.length])).toEqual([
    [3, 6],
    [2, 6],
    [5, 6],
  ]);
});

test('sessions that do not fit side by side run half of their runs, and the other half in reverse order', async () => {
  const sessions = [3, 2, 5].map((cost, index) => having(fakeSession('ABC'[index]!, cost)));
  const { batches, inTurns } = await measureRounds(sessions, { ...counts, warmups: 0, runs: 4, sideBySide: false });
  expect(inTurns).toBe(false);
  expect(log.filter((each) => each.length === 1).join('')).toBe('AABBCCCCBBAA');
  expect(batches[0]!.map(({ measurement, times }) => [measurement.decodeMsPerToken, times.length])).toEqual([
    [3, 4],
    [2, 4],
    [5, 4],
  ]);
});

test('each side has medians of its own runs, by batch size; progress counts both and ends with all', async () => {
  const seen: number[] = [];
  const [one, two] = await measurePaired(having(fakeSession('A', 4)), having(fakeSession('B', 2)), {
    ...counts,
    batchSizes: [1, 2],
    onProgress: ({ done, total }) => {
      expect(total).toBe(2 * (1 + 2) * 9 * 4);
      seen.push(done);
    },
  });
  expect(one!.reference).toMatchObject({
    batch: 1,
    latencyMs: 16,
    prefillMs: 4,
    decodeMsPerToken: 4,
    runs: 8,
    spread: 0,
  });
  expect(two!.measured).toMatchObject({ batch: 2, latencyMs: 8, prefillMs: 2, decodeMsPerToken: 2, peakBytes: 108 });
  expect(one!.latency).toEqual({ ratio: 2, low: 2, high: 2 });
  expect(seen.at(-1)).toBe(216);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('equal models show no difference on a noisy machine', async () => {
  let turn = 0;
  slowness = () => 1 + 0.2 * Math.sin(7 * turn++);
  const [found] = await measurePaired(having(fakeSession('A', 1)), having(fakeSession('B', 1)), counts);
  expect(found!.latency.low).toBeLessThan(1);
  expect(found!.latency.high).toBeGreaterThan(1);
});

test('where both do not fit, the reference runs before and behind the other, and the result says so', async () => {
  let open = 0;
  const alone =
    (session: OrtSession): WithSession =>
    async (work) => {
      if (open > 0) throw new LabError('out-of-memory', 'no room for a second session', '');
      open += 1;
      try {
        return await work(session);
      } finally {
        open -= 1;
      }
    };
  slowness = (time) => 3 ** Math.min(1, time / 200);
  const options = { ...counts, warmups: 0, runs: 6 };
  const [found] = await measurePaired(alone(fakeSession('A', 3)), alone(fakeSession('B', 2)), options);
  expect(log.filter((entry) => !entry.includes('cache')).join('')).toBe('AAABBBBBBAAA');
  expect(found!).toMatchObject({ pairs: 6, inTurns: false });
  expect(found!.latency.low).toBeLessThan(1.5);
  expect(found!.latency.high).toBeGreaterThan(1.5);
  expect(found!.reference.runs).toBe(6);
});

test('a wrong session is not timed, and one that runs out of memory otherwise is not tried again', async () => {
  const nan = fakeSession('B', 1, Number.NaN);
  await expect(measurePaired(having(fakeSession('A', 1)), having(nan), counts)).rejects.toMatchObject({
    code: 'non-finite',
  });
  expect(log.toSorted()).toEqual(['A cache gone', 'B cache gone']);
  const full: WithSession = async () => {
    throw new LabError('out-of-memory', 'no room at all', '');
  };
  await expect(measurePaired(full, full, counts)).rejects.toMatchObject({ code: 'out-of-memory' });
});

test('it can be cancelled between two tokens', async () => {
  const controller = new AbortController();
  const work = measurePaired(having(fakeSession('A', 1)), having(fakeSession('B', 1)), {
    ...counts,
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done === 6) controller.abort();
    },
  });
  await expect(work).rejects.toMatchObject({ code: 'aborted' });
  expect(log.filter((entry) => !entry.includes('cache'))).toEqual(['A', 'B']);
});

test('one run has no interval', async () => {
  const work = measurePaired(having(fakeSession('A', 1)), having(fakeSession('B', 1)), { ...counts, runs: 1 });
  await expect(work).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringContaining('at least 2 runs'),
  });
});
