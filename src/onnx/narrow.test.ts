/** @file Matrices that stay 16 bits: which powers of two make BF16 exact in f16, and graphs of them against float64. */
import { expect, test } from 'vitest';
import type { BiasRole, LayerShape, ModelShape } from '../model/shape';
import { toFloat32, type WeightSource } from '../model/weights';
import { f16ToNumber, f32ToBf16, numberToBf16 } from '../numerics/float16';
import { modelLogits } from '../numerics/model';
import { createRandom, randomGaussian, randomInt } from '../numerics/random';
import { narrowed, narrowedFile, powerFor } from '../weights/narrowed';
import { checkGraph } from './check';
import { buildGraph, type GraphPrecision } from './graph';
import { type RandomModel, randomModel, tinyShape } from './testing/randomModel';
import { openGraph } from './testing/runGraph';

const row = (...values: number[]) => f32ToBf16(values);

test.each<[string, Uint16Array, number, number | null]>([
  ['nothing but zeros', row(0, -0, 0, 0), 2, 0],
  ['ordinary weights', row(0.02, -1.5, 0.3, 1e-3), 2, 0],
  ['the whole of f16', row(65280, 2 ** -24), 1, 0],
  ['above f16', row(65536, -70000, 1, 2 ** -10), 2, -1],
  ['below f16: one binade', row(2 ** -25, 1), 1, 1],
  ['digits that end below f16', row((1 + 1 / 128) * 2 ** -18, 1), 1, 1],
  ['the smallest BF16', Uint16Array.of(1, 0x8001), 1, null], // its scale would not be a normal f32
  ['huge', row(2 ** 100, 2 ** 90), 1, -85],
  ['beyond any scale, each row with a large weight', row(1, 2 ** -40, 2 ** -3, 2 ** -39), 2, 15],
  ['beyond any scale, and a row has nothing else', row(1, 0.5, 2 ** -40, 2 ** -39), 2, null],
  ['a row of zeros is no reason against it', row(1, 2 ** -40, 0, 0), 2, 15],
  ['infinite', row(1, Number.POSITIVE_INFINITY), 2, null],
  ['no number', row(Number.NaN, 1), 2, null],
])('the power for %s', (_, bits, columns, power) => {
  expect(powerFor(bits, columns)).toBe(power);
});

test('what a power makes exact is exact, over all exponents', async () => {
  const random = createRandom(2);
  for (const centre of [-60, -30, -8, 0, 9, 40]) {
    const bits = Uint16Array.from({ length: 400 }, () =>
      numberToBf16(randomGaussian(random) * 2 ** (centre - randomInt(random, 20))),
    );
    const power = powerFor(bits, 20)!;
    const source = sourceOf(bits, [20, 20]);
    const { shape, weights } = { shape: { ...tinyShape([]), vocab: 20, hidden: 20 }, weights: source };
    const narrow = await narrowed(shape, weights, 'exact');
    const ref = narrow.modelTensor('embed');
    expect(ref).toMatchObject({ dtype: 'F16', file: narrowedFile, begin: 0, end: 800 });
    expect(narrow.scale?.(ref)).toBe(2 ** -power);
    const stored = new Uint16Array((await narrow.read(ref)).buffer);
    const want = toFloat32(new Uint8Array(bits.buffer), 'BF16');
    expect([...stored].map((half) => f16ToNumber(half) * 2 ** -power)).toEqual([...want]);
  }
});

/** A model of nothing but an embedding and a norm. */
function sourceOf(bits: Uint16Array<ArrayBuffer>, dims: number[]): WeightSource {
  const place = { name: 'embed', file: 'm', begin: 0, end: 2 * bits.length };
  const norm = { name: 'norm', dtype: 'F32' as const, dims: [20], file: 'n', begin: 0, end: 80 };
  return {
    layerTensor: () => norm,
    modelTensor: (role) => (role === 'embed' ? { ...place, dtype: 'BF16', dims } : norm),
    read: async () => new Uint8Array(bits.slice().buffer),
    file: async () => new Blob([bits]),
  };
}

const allBiases: readonly BiasRole[] = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'];
const withLayers = (shape: ModelShape, changes: readonly Partial<LayerShape>[]): ModelShape => ({
  ...shape,
  layers: shape.layers.map((layer, index) => ({ ...layer, ...changes[index] })),
});
/** All forms of attention, norms and activations; tied and not. */
const mixed = withLayers(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 8, 17],
    [4, 2, 12, 40],
    [4, 2, 16, 40],
    [0, 0, 16, 40],
  ]),
  [
    { window: 9, biases: allBiases, qkNorm: 'head' },
    { attnScale: 0.3, qkNorm: 'all', normPlacement: 'both', activation: 'gelu_tanh' },
    { window: 9 },
    { scoreSoftcap: 2, normPlacement: 'post', biases: ['downBias'] },
    { biases: ['upBias'] },
  ],
);
const gemma: ModelShape = { ...mixed, normOffset: 0.25, embedScale: 5.65, logitSoftcap: 8, tiedHead: false };

/** The model with its MLPs' products far out of f16's range, forward and backward. */
function spread(model: RandomModel): RandomModel {
  const factors = { upProj: 2 ** -30, downProj: 2 ** 30 } as const;
  const bytes = model.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const { source } of model.shape.layers) {
    for (const role of ['upProj', 'downProj'] as const) {
      const ref = model.weights.layerTensor(role, source);
      const values = model.reference.layers[source]![role] as Float64Array;
      values.forEach((value, at) => {
        values[at] = value * factors[role];
        view.setUint16(ref.begin + 2 * at, numberToBf16(values[at]!), true);
      });
    }
  }
  const weights: WeightSource = {
    ...model.weights,
    read: async (ref) => bytes.slice(ref.begin, ref.end),
    file: async () => new Blob([bytes]),
  };
  return { ...model, weights, bytes };
}

async function worstError(model: RandomModel, precision: GraphPrecision, widenUpTo?: number): Promise<number> {
  const { shape, reference } = model;
  const narrowing = precision === 'f16' ? 'rounded' : 'exact';
  const graph = buildGraph(shape, await narrowed(shape, model.weights, narrowing), {
    maxPositions: 64,
    precision,
    ...(widenUpTo === undefined ? {} : { widenUpTo }),
  });
  if (widenUpTo !== undefined) expect(graph.report.widenedBytes).toBeLessThanOrEqual(Math.max(widenUpTo, 4 * 64));
  const sizes = graph.externalFiles.map(async (name) => [name, (await graph.file(name)).size] as const);
  expect(checkGraph(graph.model, Object.fromEntries(await Promise.all(sizes)))).toEqual([]);
  const random = createRandom(5);
  const tokens = Array.from({ length: 24 }, () => randomInt(random, shape.vocab));
  const want = modelLogits(shape, reference, tokens);
  const running = await openGraph(graph, shape);
  const parts = [await running.step([tokens.slice(0, 20)])];
  for (const token of tokens.slice(20)) parts.push(await running.step([[token]]));
  const got = parts.flatMap((part) => [...part]);
  const scale = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  return want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i]!)), 0) / scale;
}

test.each<[string, RandomModel]>([
  ['F16', randomModel(mixed, 'F16')],
  ['BF16', randomModel(mixed, 'BF16')],
  ['BF16, untied', randomModel(gemma, 'BF16')],
  ['BF16 far out of f16’s range', spread(randomModel(mixed, 'BF16'))],
  ['F32, which stays so', randomModel(mixed, 'F32')],
])('matrices that stay 16 bits lose nothing: %s', async (_, model) => {
  expect(await worstError(model, 'f16-weights')).toBeLessThan(1e-5);
});

const twoLayers: ModelShape = { ...mixed, layers: mixed.layers.slice(0, 2) };

// At most 300 bytes: two rows of most matrices at a time. Opening a session of so many nodes takes long: two layers do.
test.each<[number, ModelShape]>([
  [300, twoLayers],
  [1000, mixed],
  [4 * 32 * 61, mixed],
])('the same in parts of at most %i bytes', async (bytes, shape) => {
  expect(await worstError(randomModel(shape, 'F16'), 'f16-weights', bytes)).toBeLessThan(1e-5);
  expect(await worstError(spread(randomModel(shape, 'BF16')), 'f16-weights', bytes)).toBeLessThan(1e-5);
});

test.each<[string, RandomModel]>([
  ['F16', randomModel(mixed, 'F16')],
  ['BF16', randomModel(gemma, 'BF16')],
  ['F32', randomModel(mixed, 'F32')],
])('everything in f16 is near: %s', async (_, model) => {
  const error = await worstError(model, 'f16');
  expect(error).toBeLessThan(2e-2);
  expect(error).toBeGreaterThan(1e-5); // it was really f16
});

test('the report counts what is held', async () => {
  const shape = tinyShape([[4, 2, 16, 40]]);
  const matrices = 61 * 32 + 32 * (64 + 32 + 32 + 64) + 3 * 32 * 40;
  const reports = async (change: Partial<ModelShape>, dtype: 'F16' | 'BF16' | 'F32', precision: GraphPrecision) => {
    const model = randomModel({ ...shape, ...change }, dtype);
    const narrowing = precision === 'f16' ? 'rounded' : 'exact';
    const weights = precision === 'f32' ? model.weights : await narrowed(model.shape, model.weights, narrowing);
    return buildGraph(model.shape, weights, { maxPositions: 64, precision }).report;
  };
  const vectors = 3 * 32;
  const largest = 64 * 32;
  for (const dtype of ['F16', 'BF16'] as const) {
    expect(await reports({}, dtype, 'f32')).toMatchObject({
      ...{ weightBytes: 4 * (matrices + vectors), largestWeightBytes: 4 * largest, widenedBytes: 0 },
    });
    expect(await reports({}, dtype, 'f16-weights')).toMatchObject({
      ...{ weightBytes: 2 * matrices + 4 * vectors, largestWeightBytes: 4 * largest, widenedBytes: 4 * largest },
    });
    expect(await reports({}, dtype, 'f16')).toMatchObject({
      ...{ weightBytes: 2 * (matrices + vectors), largestWeightBytes: 2 * largest, widenedBytes: 0 },
    });
  }
  expect(await reports({}, 'F32', 'f16-weights')).toMatchObject({ weightBytes: 4 * (matrices + vectors) });
  // Of an embedding that is no head only rows are widened.
  const large = { vocab: 1000, tiedHead: false, layers: [] };
  expect(await reports(large, 'F16', 'f16-weights')).toMatchObject({
    weightBytes: 2 * 2 * 1000 * 32 + 4 * 32,
    widenedBytes: 4 * 1000 * 32,
  });
});

test('variants share what was narrowed; a cancelled one goes on later; weights beyond f16 are refused by name', async () => {
  const model = randomModel(tinyShape([[4, 2, 16, 40]]), 'BF16');
  let reads = 0;
  const weights: WeightSource = {
    ...model.weights,
    read: (ref) => {
      reads += 1;
      return model.weights.read(ref);
    },
  };
  const aborted = narrowed(model.shape, weights, 'exact', { signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
  await narrowed(model.shape, weights, 'exact');
  const layers = model.shape.layers.map((layer) => ({ ...layer, ffn: 0 }));
  await narrowed({ ...model.shape, layers }, weights, 'exact');
  expect(reads).toBe(8);
  const wild: WeightSource = { ...weights, read: async (ref) => new Uint8Array(ref.end - ref.begin).fill(0x7e) };
  await expect(narrowed(model.shape, wild, 'rounded')).rejects.toMatchObject({
    code: 'self-check',
    message: expect.stringContaining('embed'),
  });
  // Exact: they stay BF16 and are widened to F32 as ever.
  expect((await narrowed(model.shape, wild, 'exact')).modelTensor('embed').dtype).toBe('BF16');
});
