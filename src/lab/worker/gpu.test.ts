import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import type { EngineOptions } from '../../engine/engine';
import type { GpuContext } from '../../engine/gpu/device';
import { LabError, unlessAborted } from '../../errors';
import { Gpu } from './gpu';

const opening = vi.hoisted(() => ({
  device: async (): Promise<unknown> => undefined,
  engine: async (_options: EngineOptions): Promise<unknown> => undefined,
}));
vi.mock('../../engine/gpu/device', () => ({ openDevice: () => opening.device() }));
vi.mock('../../engine/engine', () => ({
  Engine: { create: (_context: unknown, _model: unknown, options: EngineOptions) => opening.engine(options) },
}));
vi.mock('./kernelTuning', () => ({
  KernelTuning: class {
    load = async () => [];
    open = () => undefined;
    close = () => undefined;
  },
}));

const info = { adapter: 'pretended', software: false, features: [], limits: {}, identity: '' };
const context = { info, lost: new Promise(() => undefined) } as unknown as GpuContext;
const engine = { tuning: () => ({ inHalfPrecision: false }), dispose: vi.fn() };
const model = { info: { shape: {} }, weights: {} } as unknown as Parameters<Gpu['use']>[0];

beforeEach(() => {
  vi.stubGlobal('navigator', { gpu: {} });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  opening.device = async () => context;
  opening.engine = async () => engine;
});

test('who is cancelled while the weights go up leaves at once; the upload goes on for the other one', async () => {
  const uploaded = deferred();
  let uploads = 0;
  opening.engine = async ({ signal }) => {
    uploads += 1;
    await unlessAborted(uploaded.promise, signal);
    return engine;
  };
  const gpu = new Gpu();
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
  const gpu = new Gpu();
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
  const { NoAnswer } = await import('../../engine/gpu/answer');
  const late = deferred<unknown>();
  opening.device = () => Promise.reject(new NoAnswer('Looking for a GPU', 15, late.promise));
  const gpu = new Gpu();
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
  const silent = new Gpu();
  const controller = new AbortController();
  const waiting = silent.context(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(LabError);
});
