/** @file ONNX Runtime's WebGPU provider on Dawn: right numbers, and nothing that falls to the CPU unseen. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDevice } from '../engine/testing';
import type { ModelShape } from '../model/shape';
import type { StoredDtype } from '../model/weights';
import { modelLogits, modelNll } from '../numerics/model';
import { createRandom, randomInt } from '../numerics/random';
import { type RandomModel, randomModel, tinyShape } from '../onnx/testing/randomModel';
import { countGpuCalls } from './gpuCounter';
import { measureLatency } from './latency';
import { selfCheck } from './selfCheck';
import { type OpenOptions, openSession } from './session';
import { dropShaders } from './shaderKeeper';
import { pretendBrowser, webLibrary } from './testing/webLibraryInNode';

let device: GPUDevice;
let restore = () => {};

beforeAll(async () => {
  ({ device } = await openTestDevice());
  restore = pretendBrowser();
});

afterAll(async () => {
  await dropShaders(device);
  restore();
});

const random = createRandom(5);
const tokensOf = (count: number, vocab: number) => Array.from({ length: count }, () => randomInt(random, vocab));
const options = (model: RandomModel): OpenOptions => ({ ...model, runtime: 'ort-webgpu', device, library: webLibrary });
const fused = randomModel(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 16, 40],
  ]),
);
const mixed = tinyShape(
  [
    [8, 4, 8, 40],
    [4, 2, 16, 17],
    [0, 0, 16, 40],
    [3, 3, 8, 0],
  ],
  { tiedHead: false },
);

test.each<[string, ModelShape, StoredDtype]>([
  ['rotary inside the attention node', fused.shape, 'F32'],
  ['layers of different shapes, F16', mixed, 'F16'],
])('perplexity equals the float64 model: %s', async (_, shape, dtype) => {
  const model = randomModel(shape, dtype);
  const session = await openSession(options(model));
  const windows = [tokensOf(64, shape.vocab), tokensOf(64, shape.vocab), tokensOf(40, shape.vocab)];
  const reference = windows.map((window) => {
    const nll = modelNll(shape, model.reference, window);
    return nll.reduce((a, b) => a + b, 0) / nll.length;
  });
  await selfCheck(session, windows, reference, { tolerance: 2e-5 });
  await session.release();
});

test.each<[string, RandomModel]>([
  ['rotary inside the attention node', fused],
  ['separate rotary', randomModel(mixed)],
])('a static cache continues two sequences, all on the GPU: %s', async (_, model) => {
  const { vocab } = model.shape;
  const session = await openSession(options(model));
  const cache = session.openCache(2, 40);
  const sequences = [tokensOf(40, vocab), tokensOf(40, vocab)];
  const want = sequences.map((tokens) => modelLogits(model.shape, model.reference, tokens));
  const expectRow = (logits: Float32Array, row: number) => {
    sequences.forEach((__, index) => {
      for (let id = 0; id < vocab; id++) {
        expect(Math.abs(logits[index * vocab + id]! - want[index]![row * vocab + id]!)).toBeLessThan(1e-4);
      }
    });
  };
  const tokens = sequences.flatMap((sequence) => sequence.slice(0, 34));
  const prefill = await countGpuCalls(() => session.forward({ tokens, batch: 2, rows: [33, 67], cache }));
  expectRow(prefill.result, 33);
  expect(prefill.calls.maps).toBe(1); // the logits
  for (let row = 34; row < 40; row++) {
    const step = sequences.map((sequence) => sequence[row]!);
    const { result, calls } = await countGpuCalls(() =>
      session.forward({ tokens: step, batch: 2, rows: [0, 1], cache }),
    );
    expectRow(result, row);
    expect(calls.maps).toBe(1);
    expect(calls.dispatches).toBeGreaterThan(session.graph.report.nodes / 2);
  }
  cache.dispose();
  await session.release();
});

test('the next variant compiles no shader that an earlier one had', async () => {
  const run = async (layers: number) => {
    const model = { ...fused, shape: { ...fused.shape, layers: fused.shape.layers.slice(0, layers) } };
    const session = await openSession(options(model));
    const { calls } = await countGpuCalls(() => session.forward({ tokens: tokensOf(40, 61), batch: 1, rows: [39] }));
    await session.release();
    return calls.pipelines;
  };
  await dropShaders(device);
  expect(await run(2)).toBeGreaterThan(0);
  expect(await run(2)).toBe(0);
  expect(await run(1)).toBe(0);
});

test('latency with a cache that stays in GPU buffers', async () => {
  const session = await openSession(options(fused));
  const [result] = await measureLatency(session, { newTokens: 3, warmups: 0, runs: 1 });
  expect(result!.latencyMs).toBeGreaterThan(result!.prefillMs);
  // key and value of two layers: kvHeads · (12 + 3 − 1) positions · headDim, f32
  expect(result!.peakBytes).toBe(session.graph.report.weightBytes + 2 * 2 * 4 * 2 * 14 * 16);
  await session.release();
});
