import { expect, test, vi } from 'vitest';
import { modelLogits } from '../numerics/model';
import { randomModel, tinyShape } from '../onnx/testing/randomModel';
import type { OrtInferenceSession } from './ort';
import { ortError } from './ort';
import { enqueue } from './queue';
import { type OpenOptions, openSession } from './session';
import { nodeLibrary } from './testing/nodeLibrary';

const model = randomModel(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 8, 40],
  ]),
); // two head sizes: both rotary forms
const wasm: OpenOptions = { ...model, runtime: 'ort-wasm', library: nodeLibrary, maxPositions: 64 };

function expectClose(got: Float32Array, want: Float64Array): void {
  expect(got.length).toBe(want.length);
  want.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-4);
  });
}

test('a cache continues a batch of sequences; reset starts again', async () => {
  const session = await openSession(wasm);
  const cache = session.openCache(2, 6);
  const sequences = [
    [3, 1, 4, 1, 5, 9],
    [2, 7, 1, 8, 2, 8],
  ];
  const last = (count: number) =>
    sequences.map((tokens) => modelLogits(model.shape, model.reference, tokens.slice(0, count)).slice(-61));
  for (let pass = 0; pass < 2; pass++) {
    cache.reset();
    const prefill = { tokens: sequences.flatMap((tokens) => tokens.slice(0, 4)), batch: 2, rows: [3, 7], cache };
    expectClose(await session.forward(prefill), Float64Array.from(last(4).flatMap((row) => [...row])));
    for (const t of [4, 5]) {
      const tokens = sequences.map((sequence) => sequence[t]!);
      const logits = await session.forward({ tokens, batch: 2, rows: [0, 1], cache });
      expectClose(logits, Float64Array.from(last(t + 1).flatMap((row) => [...row])));
    }
    expect(cache.filled).toBe(6);
  }
  // Past (5 tokens) and present (6) of two layers side by side: key and value, f32, batch 2.
  expect(cache.bytes).toBe(11 * 2 * 4 * 2 * (2 * 16 + 2 * 8));
  await expect(session.forward({ tokens: [1, 2], batch: 2, rows: [0], cache })).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringContaining('at most 6 tokens'),
  });
  cache.dispose();
  await session.release();
  await session.release();
});

test('labels say runtime and threads', async () => {
  const session = await openSession(wasm);
  expect(session.device).toEqual({ adapter: 'CPU', software: false, runtime: 'onnxruntime-node wasm, 1 thread' });
  await session.release();
});

test('bad requests are refused before ONNX Runtime sees them', async () => {
  const session = await openSession(wasm);
  const forward = (tokens: number[]) => session.forward({ tokens, batch: 1, rows: [0] });
  await expect(forward([61])).rejects.toMatchObject({ code: 'bad-argument', message: /61 is outside.* 61/ });
  await expect(forward([1.5])).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(forward(new Array(65).fill(0))).rejects.toMatchObject({ code: 'bad-argument', message: /at most 64/ });
  expect(() => session.openCache(1, 65)).toThrow(/at most 64/);
  await session.release();
});

test('WebGPU needs a device that can bind the largest weight', async () => {
  const open = (device?: object) =>
    openSession({ ...wasm, runtime: 'ort-webgpu', device: device as GPUDevice | undefined });
  await expect(open()).rejects.toMatchObject({ code: 'no-webgpu' });
  const limits = { maxStorageBufferBindingSize: 4096, maxBufferSize: 2 ** 30 };
  await expect(open({ limits })).rejects.toMatchObject({ code: 'unsupported-limit' });
});

test('a fired signal stops the opening', async () => {
  await expect(openSession({ ...wasm, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
});

test('an error of ONNX Runtime becomes a LabError that keeps its words', async () => {
  const { weights } = model;
  const truncated = { ...weights, file: async (name: string) => (await weights.file(name)).slice(0, 1000) };
  await expect(openSession({ ...wasm, weights: truncated })).rejects.toMatchObject({
    code: 'runtime',
    message: expect.stringMatching(/^Creating the session failed in ONNX Runtime: ./),
  });
  expect(ortError(new Error('std::bad_alloc'), 'A run').code).toBe('out-of-memory');
  expect(ortError(new RangeError('Array buffer allocation failed'), 'A run').code).toBe('out-of-memory');
  expect(ortError(new Error("'mapAsync': The Device was lost before mapping"), 'A run').code).toBe('device-lost');
  expect(ortError('shape mismatch', 'A run').code).toBe('runtime');
});

test('jobs of the queue never overlap, also after one failed', async () => {
  const log: string[] = [];
  const job = (name: string, milliseconds: number) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    log.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const all = await Promise.allSettled([enqueue(job('a', 20)), enqueue(job('b', 1)), enqueue(job('c', 5))]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('a pass that is cancelled while another one runs leaves at once; the one in front goes on', async () => {
  const session = await openSession(wasm);
  let goOn: () => void = () => undefined;
  const front = session.exclusively(async (forward) => {
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    return forward({ tokens: [1, 2], batch: 1, rows: [1] });
  });
  const { signal, ...controller } = abortable();
  const waiting = session.forward({ tokens: [1, 2], batch: 1, rows: [1], signal });
  const whole = session.exclusively(async () => 'never', signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  await expect(whole).rejects.toMatchObject({ code: 'aborted' });
  goOn();
  expect(await front).toHaveLength(61);
  await session.release();
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** A library whose creations go as told, one after the other. */
function pretended(...creations: readonly (() => Promise<OrtInferenceSession>)[]) {
  const left = [...creations];
  const given: unknown[] = [];
  const create = (_model: Uint8Array, { externalData }: { externalData: { data: unknown }[] }) => {
    given.push(externalData[0]?.data);
    return left.shift()!();
  };
  const library = { ...nodeLibrary, ort: { ...nodeLibrary.ort, InferenceSession: { create } } };
  return { library: library as unknown as NonNullable<OpenOptions['library']>, given };
}

const unread = () => Promise.reject(new Error('Failed to load external data file ""w"", error: Unknown error'));
const opens = async () => ({ release: async () => undefined }) as unknown as OrtInferenceSession;

test('weights that could not be read are opened anew, as bytes; a second failure says why', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const once = pretended(unread, opens);
  await openSession({ ...wasm, library: once.library, bytesUpTo: 0 });
  expect(once.given.map((data) => data instanceof Blob)).toEqual([true, false]);
  expect(warned).toHaveBeenCalledTimes(1);
  const twice = pretended(unread, unread);
  await expect(openSession({ ...wasm, library: twice.library })).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('Unknown error'),
    remedy: expect.stringContaining('load it again'),
  });
  vi.restoreAllMocks();
});

test('room is made before anything is opened, by the bytes of the graph’s weights', async () => {
  const { library, given } = pretended(opens);
  const asked: number[] = [];
  const evictIdle = async (bytes: number): Promise<void> => {
    expect(given).toEqual([]);
    asked.push(bytes);
  };
  const { graph } = await openSession({ ...wasm, library, evictIdle });
  expect(asked).toEqual([graph.report.weightBytes]);
});
