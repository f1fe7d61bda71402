import 'fake-indexeddb/auto';
import { createStore, get, keys, set } from 'idb-keyval';
import { afterEach, expect, test, vi } from 'vitest';
import { classKey, classOf, type Matmul, type TunedClass } from '../../engine/kernels/matmulClasses';
import type { Tuning } from '../../engine/tuning/tuner';
import { abortedError } from '../../errors';
import type { EngineSettings } from '../contract/settings';
import { KernelTuning, type TunableEngine, tuningKey } from './kernelTuning';

const matmuls = [128, 512, 2048].map(
  (rows): Matmul => ({ operation: 'linear', dtype: 'F16', rows, inner: 64, cols: 64, byFour: true }),
);
const measure = (matmul: Matmul): TunedClass => ({
  ...classOf(matmul),
  tile: '16x8',
  fallback: '4x8',
  trials: [
    { tile: '4x8', milliseconds: 2, refused: null },
    { tile: '16x8', milliseconds: 1, refused: null },
  ],
  sizes: { rows: matmul.rows, inner: 64, cols: 64 },
  timing: 'timestamps',
});

/** An engine that measures a class whenever the test lets it. */
function pretend(recalled: readonly TunedClass[] = []) {
  const known = new Map(recalled.map((one) => [classKey(one), one] as const));
  const waiting: (() => void)[] = [];
  let running = 0;
  const engine: TunableEngine = {
    get tuned() {
      return [...known.values()];
    },
    tuning: () => ({
      classes: [...known.values()],
      left: matmuls.length - known.size,
      forced: null,
      inHalfPrecision: false,
    }),
    tune: async ({ signal } = {}): Promise<Tuning> => {
      running += 1;
      try {
        for (const matmul of matmuls) {
          const one = measure(matmul);
          if (known.has(classKey(one))) continue;
          await new Promise<void>((resolve) => waiting.push(resolve));
          if (signal?.aborted) throw abortedError();
          known.set(classKey(one), one);
        }
        return { measured: [], left: 0 };
      } finally {
        running -= 1;
      }
    },
  };
  /** Lets the engine finish the class that it is at. */
  const step = async (): Promise<void> => {
    const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
    await settled();
    waiting.shift()?.();
    await settled();
  };
  return { engine, step, running: () => running };
}

let adapters = 0;
const adapter = (software = false) => ({ identity: `adapter ${++adapters}`, software });
const unasked = { tuneUnasked: true };
const stored = createStore('secateur-tunings', 'tunings');
const label = { adapter: 'a', software: false, runtime: 'r' };
afterEach(() => vi.restoreAllMocks());

test('what was measured on an adapter is there for the next engine on it, and for no other', async () => {
  const info = adapter(true);
  const first = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(first.engine, info);
  const tuned = tuning.tune(first.engine, {});
  for (const _ of matmuls) await first.step();
  await tuned;
  expect(tuning.info(first.engine, label)).toMatchObject({ left: 0, running: false, note: null, adapter: 'a' });

  expect(await new KernelTuning(unasked).load(info)).toEqual(matmuls.map(measure));
  expect(await new KernelTuning(unasked).load(adapter(true))).toEqual([]);
  expect(await new KernelTuning({ ...unasked, halfPrecision: true }).load(info)).toEqual([]);
});

test('a cancelled measurement keeps what it found', async () => {
  const info = adapter(true);
  const first = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(first.engine, info);
  const abort = new AbortController();
  const cancelled = expect(tuning.tune(first.engine, { signal: abort.signal })).rejects.toMatchObject({
    code: 'aborted',
  });
  await first.step();
  abort.abort();
  await first.step();
  await cancelled;
  expect(await new KernelTuning(unasked).load(info)).toHaveLength(1);
});

test('what is malformed in storage is dropped, and the note says so', async () => {
  const info = adapter(true);
  const key = tuningKey(info, unasked);
  await set(key, [{ ...measure(matmuls[0]!), tile: '3x3' }], stored);
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { engine } = pretend();
  const tuning = new KernelTuning(unasked);
  expect(await tuning.load(info)).toEqual([]);
  expect(tuning.info(engine, label).note).toMatch(/are not used: 0.tile: /);
  expect(warned).toHaveBeenCalledOnce();
  expect(await get(key, stored)).toBeUndefined();
});

test('hardware is measured unasked, software is not, nor what is known, nor where the address forbids it', () => {
  const started = (settings: EngineSettings, software: boolean, known: readonly TunedClass[] = []): number => {
    const { engine, running } = pretend(known);
    new KernelTuning(settings).open(engine, adapter(software));
    return running();
  };
  expect(started(unasked, false)).toBe(1);
  expect(started(unasked, false, matmuls.slice(1).map(measure))).toBe(1);
  expect(started(unasked, false, matmuls.map(measure))).toBe(0);
  expect(started(unasked, true)).toBe(0);
  expect(started({ tuneUnasked: false }, false)).toBe(0);
  expect(started({}, false)).toBe(0);
});

test('the background stands back while something must not be disturbed, and goes on afterwards', async () => {
  const info = adapter();
  const { engine, step, running } = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(engine, info);
  await step();
  expect(engine.tuned).toHaveLength(1);
  let during = -1;
  const work = tuning.undisturbed(async () => {
    during = running();
    return 'done';
  });
  await step();
  expect(await work).toBe('done');
  expect(during).toBe(0);
  expect(running()).toBe(1);
  expect(tuning.info(engine, label).running).toBe(true);
  for (const _ of matmuls) await step();
  expect(tuning.info(engine, label)).toMatchObject({ left: 0, running: false });
  expect(await new KernelTuning({}).load(info)).toHaveLength(3);
});

test('an engine that goes takes its measurement with it', async () => {
  const { engine, step, running } = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(engine, adapter());
  tuning.close();
  await step();
  expect(running()).toBe(0);
  await tuning.undisturbed(async () => undefined);
  expect(running()).toBe(0);
});

test('measurements of other adapters stay up to a number, and this one’s always', async () => {
  const info = adapter(true);
  for (let i = 0; i < 40; i++) await set(`another adapter ${i}`, [], stored);
  const { engine, step } = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(engine, info);
  const tuned = tuning.tune(engine, {});
  for (const _ of matmuls) await step();
  await tuned;
  expect(await keys(stored)).toHaveLength(16);
  expect(await get(tuningKey(info, unasked), stored)).toHaveLength(matmuls.length);
});

test('who waits for the background to stand back may leave at once', async () => {
  const { engine } = pretend();
  const tuning = new KernelTuning(unasked);
  tuning.open(engine, adapter());
  const controller = new AbortController();
  const work = vi.fn(async () => undefined);
  const waiting = tuning.undisturbed(work, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  expect(work).not.toHaveBeenCalled();
});
