import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import type { Engine, EngineOptions } from '../../engine/engine';
import { NoAnswer } from '../../engine/gpu/answer';
import type { GpuContext } from '../../engine/gpu/device';
import { LabError, unlessAborted } from '../../errors';
import { Gpu, type GpuParts } from './gpu';
import type { KernelTuning } from './kernelTuning';

const info = { adapter: 'pretended', software: false, features: [], limits: {}, identity: '' };
const context = { info, lost: new Promise(() => undefined) } as unknown as GpuContext;
const engine = { tuning: () => ({ inHalfPrecision: false }), dispose: () => undefined } as unknown as Engine;
const tuning = { load: async () => [], open: () => undefined, close: () => undefined } as unknown as KernelTuning;
const model = { info: { shape: {} }, weights: {} } as unknown as Parameters<Gpu['use']>[0];

/** How devices and engines open in a test. */
let opening: { device: () => Promise<GpuContext>; engine: (options: EngineOptions) => Promise<Engine> };
const parts: GpuParts = {
  openDevice: () => opening.device(),
  createEngine: (_context, _model, options = {}) => opening.engine(options),
  createTuning: () => tuning,
};

beforeEach(() => {
  vi.stubGlobal('navigator', { gpu: {} });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  opening = { device: async () => context, engine: async () => engine };
});
afterEach(() => vi.unstubAllGlobals());

test('who is cancelled while the weights go up leaves at once; the upload goes on for the other one', async () => {
  const uploaded = deferred();
  let uploads = 0;
  opening.engine = async ({ signal }) => {
    uploads += 1;
    await unlessAborted(uploaded.promise, signal);
    return engine;
  };
  const gpu = new Gpu(parts);
  gpu.use(model);
  const controller = new AbortController();
  const leaving = gpu.engine({ signal: controller.signal });
  const staying = gpu.engine({});
  await gpu.context();
  await new Promise((resolve) => setTimeout(resolve));
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  uploaded.resolve();
  expect(await staying).toMatchObject({ engine });
  expect(uploads).toBe(1);
});

test('the upload stops when all have left, and the next one begins it anew', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  opening.engine = ({ signal }) => {
    signals.push(signal);
    return signals.length === 1 ? unlessAborted(new Promise(() => undefined), signal) : Promise.resolve(engine);
  };
  const gpu = new Gpu(parts);
  gpu.use(model);
  const controller = new AbortController();
  const leaving = gpu.engine({ signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve));
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  expect(await gpu.engine({})).toMatchObject({ engine });
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
});

test('a wait for an adapter can be left; one that never answers is no GPU, and a late answer is taken', async () => {
  const late = deferred<unknown>();
  opening.device = () => Promise.reject(new NoAnswer('Looking for a GPU', 15, late.promise));
  const gpu = new Gpu(parts);
  gpu.use(model);
  expect(await gpu.device()).toBeNull();
  expect(await gpu.engine({})).toBeNull();
  opening.device = async () => context;
  expect(await gpu.device()).toBeNull(); // still as it was
  late.resolve({});
  await new Promise((resolve) => setTimeout(resolve));
  expect(await gpu.device()).toMatchObject({ adapter: 'pretended' });
  expect(await gpu.engine({})).toMatchObject({ engine });

  opening.device = () => new Promise(() => undefined);
  const silent = new Gpu(parts);
  const controller = new AbortController();
  const waiting = silent.context(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(LabError);
});
