/** @file ONNX Runtime's WebGPU provider on Dawn: right numbers, and nothing that falls to the CPU unseen. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { longTier, openOrtTestDevice } from '../engine/testing/harness';
import { readModel } from '../engine/testing/testWeights';
import type { BiasRole, LayerShape, ModelShape } from '../model/shape';
import type { StoredDtype } from '../model/weights';
import { modelLogits, modelNll } from '../numerics/model';
import { createRandom, randomInt } from '../numerics/random';
import { type RandomModel, randomModel, tinyShape } from '../onnx/testing/randomModel';
import { countGpuCalls } from './gpuCounter';
import { measureLatency } from './latency';
import { precisionFor } from './precision';
import { selfCheck } from './selfCheck';
import { type OpenOptions, openSession } from './session';
import { dropShaders } from './shaderKeeper';
import { pretendBrowser, webLibrary } from './testing/webLibraryInNode';

const { device } = await openOrtTestDevice();
const f16 = device.features.has('shader-f16');
let restore = () => {};

beforeAll(() => {
  restore = pretendBrowser();
});

/** All of them in the long tier; the software adapter compiles shaders for seconds, whichever model asks for them. */
const some = <T>(cases: readonly T[], few: number): T[] => cases.slice(0, longTier ? cases.length : few);

afterAll(async () => {
  await dropShaders(device);
  restore();
});

const random = createRandom(5);
const tokensOf = (count: number, vocab: number) => Array.from({ length: count }, () => randomInt(random, vocab));
const options = (model: Pick<RandomModel, 'shape' | 'weights'>): OpenOptions => ({
  ...model,
  runtime: 'ort-webgpu',
  device,
  library: webLibrary,
});
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

const biases: readonly BiasRole[] = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'];
/** One window is shorter than a prefill of 34 tokens; another begins to hide something while tokens are decoded. */
const extras: readonly Partial<LayerShape>[] = [
  { window: 5, biases, qkNorm: 'head' },
  { window: 37, qkNorm: 'head', rope: { theta: 500, scaling: { kind: 'linear', factor: 2 } } },
  { biases },
];
const families: ModelShape = {
  ...fused.shape,
  layers: [16, 16, 8].map((headDim, source) => ({
    ...fused.shape.layers[0]!,
    source,
    headDim,
    ...extras[source],
  })),
};

/** What Gemma 2, Gemma 3 and OLMo 2 add; again a window begins to hide something while tokens are decoded. */
const gemmaLayers: readonly Partial<LayerShape>[] = [
  { window: 37, attnScale: 0.2, scoreSoftcap: 3, activation: 'gelu_tanh', normPlacement: 'both' },
  { scoreSoftcap: 2, qkNorm: 'all', normPlacement: 'post', biases: ['gateBias', 'downBias'] },
  { window: 20, attnScale: 0.3, qkNorm: 'head', activation: 'gelu_tanh' },
];
const gemmas: ModelShape = {
  ...families,
  layers: families.layers.map(({ source, headDim, heads, kvHeads, ffn }, index) => ({
    ...{ source, headDim, heads, kvHeads, ffn },
    ...gemmaLayers[index],
  })),
  normOffset: 0.25,
  embedScale: 5.65,
  logitSoftcap: 8,
};

/** Heads that GroupQueryAttention refuses beside others, in sizes that 4 does not divide. */
const oddLayers: readonly Partial<LayerShape>[] = [
  { headDim: 12, window: 5 },
  { headDim: 10, kvHeads: 1, biases, qkNorm: 'head' },
  { headDim: 4, scoreSoftcap: 2, window: 37 },
  { headDim: 16, window: 37 },
];
const oddHeads: ModelShape = {
  ...tinyShape([], { hidden: 30, tiedHead: false }),
  layers: oddLayers.map((layer, source) => ({ source, heads: 4, kvHeads: 2, headDim: 16, ffn: 17, ...layer })),
};
const stored: [string, ModelShape, StoredDtype][] = [
  ['rotary inside the attention node', fused.shape, 'F32'],
  ['windows, biases and norms of heads, F16', families, 'F16'],
  ['layers of different shapes, F16', mixed, 'F16'],
  ['windows, biases and norms of heads, BF16', families, 'BF16'],
];

test.each(some(stored, 1))('perplexity equals the float64 model: %s', async (_, shape, dtype) => {
  const model = randomModel(shape, dtype);
  const session = await openSession(options(model));
  const sequences = [tokensOf(64, shape.vocab), tokensOf(64, shape.vocab), tokensOf(40, shape.vocab)];
  const reference = sequences.map((sequence) => {
    const nll = modelNll(shape, model.reference, sequence);
    return nll.reduce((a, b) => a + b, 0) / nll.length;
  });
  await selfCheck(session, sequences, reference, { tolerance: 2e-5 });
  await session.release();
});

const cached: [string, RandomModel][] = [
  ['rotary inside the attention node', fused],
  ['Gemma and OLMo 2', randomModel(gemmas)],
  ['heads that 8 does not divide', randomModel(oddHeads)],
  ['separate rotary', randomModel(mixed)],
  ['windows, biases and norms of heads', randomModel(families)],
];

test.each(some(cached, 1))(
  'a cache in buffers of full length continues two sequences, all on the GPU: %s',
  async (_, model) => {
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
  },
);

test('the same graphs on wasm: heads that 8 does not divide', async () => {
  const model = randomModel(oddHeads);
  const session = await openSession({ ...options(model), runtime: 'ort-wasm' });
  const cache = session.openCache(2, 40);
  const sequences = [tokensOf(40, 61), tokensOf(40, 61)];
  const want = sequences.map((tokens) => modelLogits(model.shape, model.reference, tokens));
  const step = async (from: number, to: number) => {
    const count = to - from;
    const tokens = sequences.flatMap((sequence) => sequence.slice(from, to));
    const logits = await session.forward({ tokens, batch: 2, rows: [count - 1, 2 * count - 1], cache });
    want.forEach((all, index) => {
      for (let id = 0; id < 61; id++) {
        expect(Math.abs(logits[index * 61 + id]! - all[(to - 1) * 61 + id]!)).toBeLessThan(1e-4);
      }
    });
  };
  await step(0, 34);
  await step(34, 35);
  await step(35, 36);
  cache.dispose();
  await session.release();
});

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));

const tinyFamilies = [
  ...['tiny-qwen3', 'tiny-llama3', 'tiny-mistral', 'tiny-qwen2'],
  ...['tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'],
];

test.each(some(tinyFamilies, 1))(
  '%s, whole and with gaps, gives the likelihoods of PyTorch and of the float64 model',
  async (name) => {
    const { shape, weights, reference } = readModel(fixtures + name);
    const golden = JSON.parse(readFileSync(`${fixtures}${name}/golden.json`, 'utf8')) as {
      calibration_token_ids: number[][];
      mean_nll_per_window: number[];
    };
    const sequences = golden.calibration_token_ids;
    const check = async (layers: readonly LayerShape[], expected: readonly number[]) => {
      const session = await openSession(options({ shape: { ...shape, layers }, weights }));
      await selfCheck(session, sequences, expected, { tolerance: 2e-5 });
      await session.release();
    };
    await check(shape.layers, golden.mean_nll_per_window);
    // Block 0 gone, the last block without its MLP, the one before without its attention.
    const last = shape.layers.length - 1;
    const rest = shape.layers.slice(1).map((layer) => {
      if (layer.source === last) return { ...layer, ffn: 0 };
      return layer.source === last - 1 ? { ...layer, heads: 0, kvHeads: 0 } : layer;
    });
    const nll = sequences.map((sequence) => modelNll({ ...shape, layers: rest }, reference, sequence));
    await check(
      rest,
      nll.map((values) => values.reduce((a, b) => a + b, 0) / values.length),
    );
  },
);

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

test.runIf(!f16)('not on this adapter: sessions that keep 16 bits, which the rule of precisions refuses', () => {
  const facts = {
    runtime: 'ort-webgpu',
    shape: fused.shape,
    dtype: 'F16',
    bindingBytes: null,
    memoryBytes: null,
  } as const;
  expect(() => precisionFor('f16', { ...facts, features: [...device.features] })).toThrow('shader-f16');
});

describe.runIf(f16)('where the adapter has shader-f16', () => {
  /** All that the forms differ in: both ways of attention, caches of both kinds, norms, biases, an untied head. */
  const half: ModelShape = {
    ...tinyShape([], { normOffset: 0.25, embedScale: 5.65, logitSoftcap: 8, tiedHead: false }),
    layers: [
      { source: 0, heads: 4, kvHeads: 2, headDim: 16, ffn: 40, biases, qkNorm: 'head' },
      { source: 1, heads: 4, kvHeads: 2, headDim: 12, ffn: 17, window: 5, normPlacement: 'both' },
    ],
  };

  test.for<['f16-weights' | 'f16', StoredDtype, number | undefined]>([
    ['f16-weights', 'F16', undefined],
    ['f16-weights', 'BF16', 1000],
    ['f16', 'F16', undefined],
  ])('%s of %s: prefill and steps on a cache, all on the GPU', async ([precision, dtype, widenUpTo]) => {
    const model = randomModel(half, dtype);
    const session = await openSession({ ...options(model), precision, widenUpTo });
    expect(session.device.runtime).toMatch(precision === 'f16' ? /webgpu, f16$/ : /webgpu, weights in 16 bits$/);
    const cache = session.openCache(2, 40);
    const sequences = [tokensOf(36, 61), tokensOf(36, 61)];
    const want = sequences.map((tokens) => modelLogits(half, model.reference, tokens));
    const tolerance = precision === 'f16' ? 0.2 : 1e-4; // logits are of order 8
    const step = async (from: number, to: number) => {
      const count = to - from;
      const tokens = sequences.flatMap((sequence) => sequence.slice(from, to));
      const { result, calls } = await countGpuCalls(() =>
        session.forward({ tokens, batch: 2, rows: [count - 1, 2 * count - 1], cache }),
      );
      expect(calls.maps).toBe(1);
      let worst = 0;
      want.forEach((all, index) => {
        for (let id = 0; id < 61; id++) {
          worst = Math.max(worst, Math.abs(result[index * 61 + id]! - all[(to - 1) * 61 + id]!));
        }
      });
      expect(worst).toBeLessThan(tolerance);
    };
    await step(0, 34);
    await step(34, 35);
    await step(35, 36);
    cache.dispose();
    await session.release();
  });

  test('16-bit weights take 16 bits of the GPU', async () => {
    const layer = [4, 4, 64, 1024];
    const shape = tinyShape([layer, layer, layer], { hidden: 256, vocab: 2003, tiedHead: false });
    const model = randomModel(shape, 'F16');
    const held = async (precision: 'f16-weights' | 'f16') => {
      const live = countLiveBytes();
      const session = await openSession({ ...options(model), precision });
      await session.forward({ tokens: tokensOf(4, 61), batch: 1, rows: [3] });
      const bytes = live.stop();
      await session.release();
      return { ...session.graph.report, bytes };
    };
    const [narrow, half] = [await held('f16-weights'), await held('f16')];
    for (const each of [narrow, half]) {
      expect(each.weightBytes).toBeLessThan(0.51 * model.bytes.length * 2);
      expect(each.bytes).toBeGreaterThanOrEqual(each.weightBytes);
    }
    // The runtime keeps the buffers of products for the next ones: two sizes here. All in f32 would be twice the weights.
    expect(narrow.bytes).toBeLessThan(1.1 * narrow.weightBytes + 2 * narrow.widenedBytes);
    expect(1.1 * narrow.weightBytes + 2 * narrow.widenedBytes).toBeLessThan(1.7 * narrow.weightBytes);
    expect(half.bytes).toBeLessThan(1.1 * half.weightBytes);
  });
});

/** Bytes of the GPU buffers that were made and not destroyed since. */
function countLiveBytes(): { stop(): number } {
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const sizes = new Map<GPUBuffer, number>();
  GPUDevice.prototype.createBuffer = function counted(descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function counted() {
    sizes.delete(this);
    return destroy.call(this);
  };
  return {
    stop() {
      GPUDevice.prototype.createBuffer = createBuffer;
      GPUBuffer.prototype.destroy = destroy;
      return [...sizes.values()].reduce((a, b) => a + b, 0);
    },
  };
}

test.runIf(longTier)('latency with a cache that stays in GPU buffers', async () => {
  const session = await openSession(options(fused));
  const [result] = await measureLatency(session, { newTokens: 3, warmups: 0, runs: 1 });
  expect(result!.latencyMs).toBeGreaterThan(result!.prefillMs);
  // key and value of two layers: kvHeads · (12 + 3 − 1) positions · headDim, f32
  expect(result!.peakBytes).toBe(session.graph.report.weightBytes + 2 * 2 * 4 * 2 * 14 * 16);
  await session.release();
});
