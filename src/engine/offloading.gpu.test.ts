/** @file A budget smaller than the model: blocks stream, inputs wait elsewhere, and the numbers are the same ones. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { LabError } from '../errors';
import type { ModelShape } from '../model/shape';
import type { TensorRef, WeightSource } from '../model/weights';
import { Engine, type EngineOptions } from './engine';
import type { GpuContext } from './gpu/device';
import { limitMemory } from './testing/fullGpu';
import { longTier, sharedTestDevice } from './testing/harness';
import { block, randomModel, syntheticWeights, type TestModel, tinyShape } from './testing/testWeights';
import { BlockReader } from './weights/blockReader';

const context: GpuContext = await sharedTestDevice();
const engines: Engine[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const engine of engines.splice(0)) engine.dispose();
});

const uneven = tinyShape([
  block(0),
  block(1, { heads: 0, kvHeads: 0 }),
  block(2, { ffn: 43 }),
  block(3, { ffn: 0 }),
  block(4),
  block(5, { kvHeads: 4 }),
  block(6),
]);
/** Windows, biases and norms of heads in some layers: blocks of one size in other buffers. */
const features = tinyShape([
  block(0),
  block(1, { biases: ['qBias', 'kBias', 'vBias'], window: 3 }),
  block(2, { qkNorm: 'head' }),
  block(3, { biases: ['qBias', 'kBias', 'vBias', 'oBias'], ffn: 0 }),
  block(4, { qkNorm: 'head', window: 2 }),
  block(5, { biases: ['oBias', 'vBias', 'downBias'] }),
  block(6, { biases: ['gateBias', 'upBias', 'downBias'] }),
]);
/** What Gemma and OLMo 2 add, in some layers. */
const gemmas: ModelShape = {
  ...tinyShape([
    block(0),
    block(1, { normPlacement: 'both', activation: 'gelu_tanh', qkNorm: 'head' }),
    block(2, { normPlacement: 'post', qkNorm: 'all' }),
    block(3, { normPlacement: 'both', scoreSoftcap: 2, attnScale: 0.2, ffn: 0 }),
    block(4, { activation: 'gelu_tanh', window: 3 }),
    block(5, { normPlacement: 'post', heads: 0, kvHeads: 0 }),
    block(6, { normPlacement: 'both' }),
  ]),
  normOffset: 1,
  embedScale: 5.5,
  logitSoftcap: 4,
};
const sequences = [
  [1, 5, 9, 13, 17, 21, 25, 29, 33],
  [66, 0, 2, 4, 3, 3, 3, 2, 1],
  [40, 41, 42, 43, 44],
];

async function open(model: Pick<TestModel, 'shape' | 'weights'>, options: EngineOptions = {}): Promise<Engine> {
  const engine = await Engine.create(context, model, options);
  engines.push(engine);
  return engine;
}

/** Every measurement of an engine. */
async function measured(engine: Engine): Promise<unknown> {
  const { layers } = engine.shape;
  const removals = layers.flatMap((_, layer) =>
    (['block', 'attention', 'mlp'] as const).map((kind) => ({ layer, kind })),
  );
  return {
    score: await engine.score(layers, sequences),
    shuffled: await engine.score([layers[4]!, layers[0]!, layers[4]!, layers[2]!], sequences),
    sweep: await engine.removalSweep(sequences, removals),
    taylor: await engine.taylor(sequences, { vocabulary: true }),
    kept: await engine.taylor(sequences, { keepBytes: 2 ** 30 }),
    statistics: await engine.blockStatistics(sequences),
    halves: await engine.subBlockInfluence(sequences),
    magnitudes: await engine.magnitudes(),
    survey: await engine.combinedPass(sequences),
    divergence: await engine.divergence([layers.slice(1), layers.slice(0, -2)], sequences),
    logits: await engine.logits(layers, sequences[0]!, 'last'),
  };
}

const dtypes = ['F16', 'BF16', 'F32'] as const;
describe.each(longTier ? dtypes : dtypes.slice(0, 1))('%s', (dtype) => {
  test('two blocks at a time on the GPU give the numbers of all, bit for bit', async () => {
    // A norm in another type than the projections, and projections of two types in one matrix.
    const model = randomModel(uneven, (role) => (role.endsWith('Norm') || role === 'vProj' ? 'F32' : dtype));
    const whole = await open(model);
    const streaming = await open(model, { memoryBytes: 1 });
    expect(whole.memory().blocks).toMatchObject({ blocks: 7, slots: 7, streamedBytes: 0 });
    expect(await measured(streaming)).toEqual(await measured(whole));
    const { blocks } = streaming.memory();
    expect(blocks).toMatchObject({ blocks: 7, slots: 2, bytes: whole.memory().blocks.bytes });
    expect(blocks.streamedBytes).toBeGreaterThan(3 * blocks.bytes);
    expect(whole.memory().blocks.streamedBytes).toBe(0);
  });
});

const families: readonly [string, ModelShape][] = [
  ['what Gemma and OLMo 2 add', gemmas],
  ['windows, biases and norms of heads', features],
];

test.each(longTier ? families : families.slice(0, 1))(
  'two blocks at a time, of layers with %s: the numbers of all, bit for bit',
  async (_, shape) => {
    const model = randomModel(shape, 'F16');
    const whole = await open(model);
    const streaming = await open(model, { memoryBytes: 1 });
    expect(await measured(streaming)).toEqual(await measured(whole));
    expect(streaming.memory().blocks).toMatchObject({ blocks: 7, slots: 2 });
  },
);

test('several slots: a pass there and back keeps the blocks at which it turns', async () => {
  const model = randomModel(tinyShape(Array.from({ length: 8 }, (_, source) => block(source))), 'F16');
  const whole = await open(model);
  const { bytes } = whole.memory().blocks;
  // Three quarters of a budget are for weights; the embedding and the final norm are among them.
  const engine = await open(model, { memoryBytes: ((bytes * 5) / 8 + 67 * 32 * 2 + 32 * 4 + 100) / 0.75 });
  expect(engine.memory().blocks.slots).toBe(5);
  const offloaded = async (task: () => Promise<unknown>): Promise<number> => {
    const before = engine.memory().blocks.streamedBytes;
    await task();
    return ((engine.memory().blocks.streamedBytes - before) / bytes) * 8;
  };
  const batch = sequences.slice(0, 2);
  // 0 to 4 are there. On the way there 5, 6 and 7 take the places of 0, 1 and 2, which come again on the way back.
  expect(await offloaded(() => engine.taylor(batch))).toBe(6);
  // Again: 0 to 4 are there as before.
  expect(await offloaded(() => engine.taylor(batch))).toBe(6);
  // One way only: the last three alternate with one of the others.
  expect(await offloaded(() => engine.score(engine.shape.layers, batch))).toBe(3);
  expect(await offloaded(() => engine.score(engine.shape.layers, batch))).toBeLessThanOrEqual(4);
  expect(await engine.taylor(sequences)).toEqual(await whole.taylor(sequences));
});

test('the peak does not grow with depth', async () => {
  const peaks: number[] = [];
  for (const depth of [4, 8, 16]) {
    const model = randomModel(tinyShape(Array.from({ length: depth }, (_, source) => block(source))), 'F16');
    const engine = await open(model, { memoryBytes: 1 });
    engine.memory().resetPeak();
    await engine.taylor(sequences);
    peaks.push(engine.memory().peakBytes);
  }
  expect(peaks[1]).toBe(peaks[0]);
  expect(peaks[2]).toBe(peaks[0]);
});

test('an answer and an analysis stream beside each other', async () => {
  const model = randomModel(uneven, 'F16');
  const whole = await open(model);
  const engine = await open(model, { memoryBytes: 1 });
  const { layers } = uneven;
  const sides = await Promise.all([
    engine.taylor(sequences),
    engine.score(layers, sequences),
    engine.score(layers.slice(2), sequences),
  ]);
  expect(sides).toEqual([
    await whole.taylor(sequences),
    await whole.score(layers, sequences),
    await whole.score(layers.slice(2), sequences),
  ]);
});

test('the next block is read while the current one is at work', async () => {
  const model = randomModel(tinyShape(Array.from({ length: 5 }, (_, source) => block(source))), 'F16');
  const log: string[] = [];
  const engine = await open(
    { shape: model.shape, weights: watched(model, (source) => log.push(`read ${source}`)) },
    {
      memoryBytes: 1,
    },
  );
  const { at } = BlockReader.prototype;
  vi.spyOn(BlockReader.prototype, 'at').mockImplementation(function (this: BlockReader, source, signal) {
    log.push(`at ${source}`);
    return at.call(this, source, signal);
  });
  log.length = 0;
  await engine.taylor(sequences);
  const first = (what: string, from = 0): number => log.indexOf(what, from);
  for (const source of [2, 3, 4]) {
    expect(first(`read ${source}`)).toBeGreaterThanOrEqual(0);
    expect(first(`read ${source}`), `block ${source} there`).toBeLessThan(first(`at ${source}`));
  }
  const turn = log.lastIndexOf('at 4');
  for (const source of [2, 1, 0]) {
    expect(first(`read ${source}`, turn), `block ${source} back`).toBeLessThan(first(`at ${source}`, turn));
  }
});

test('a block that does not come: Cancel is heard, a failure is told, and the next call works', async () => {
  const model = randomModel(tinyShape(Array.from({ length: 5 }, (_, source) => block(source))), 'F16');
  const whole = await open(model);
  let behaviour: 'serve' | 'hang' | 'fail' = 'serve';
  let resume = (): void => undefined;
  const weights = watched(model, (source) => {
    if (source !== 3 || behaviour === 'serve') return undefined;
    if (behaviour === 'fail') throw new Error('the disk is gone');
    return new Promise<void>((resolve) => {
      resume = resolve;
    });
  });
  const engine = await open({ shape: model.shape, weights }, { memoryBytes: 1 });
  behaviour = 'hang';
  const controller = new AbortController();
  const cancelled = engine.taylor(sequences, { signal: controller.signal }).catch((thrown: LabError) => thrown.code);
  await new Promise((resolve) => setTimeout(resolve, 300));
  controller.abort();
  expect(await cancelled).toBe('aborted');
  behaviour = 'serve';
  resume();
  expect(await engine.taylor(sequences)).toEqual(await whole.taylor(sequences));
  behaviour = 'fail';
  await engine.score(model.shape.layers.slice(0, 2), sequences); // block 3 is not there any longer
  await expect(engine.score(model.shape.layers, sequences)).rejects.toThrow('the disk is gone');
  behaviour = 'serve';
  expect(await engine.taylor(sequences)).toEqual(await whole.taylor(sequences));
});

describe('a GPU that is full', () => {
  const model = randomModel(tinyShape(Array.from({ length: 8 }, (_, source) => block(source))), 'F16');

  test('before all blocks are there: those that fit stay in part, and stream', async () => {
    const whole = await open(model);
    const expected = await whole.taylor(sequences);
    const { bytes } = whole.memory().blocks;
    limitMemory(67 * 32 * 2 + (bytes * 5) / 8 + 1000);
    const engine = await open(model);
    vi.restoreAllMocks();
    expect(engine.memory().blocks.slots).toBe(3);
    expect(await engine.taylor(sequences)).toEqual(expected);
  });

  test('in the middle of a task: blocks give way, and the task is done again', async () => {
    const whole = await open(model);
    const engine = await open(model);
    const expected = await whole.taylor(sequences);
    const { bytes } = whole.memory().blocks;
    const { liveBytes, resetPeak } = engine.memory();
    resetPeak();
    await engine.taylor(sequences);
    limitMemory(engine.memory().peakBytes - liveBytes - bytes / 4);
    expect(await engine.taylor(sequences)).toEqual(expected);
    expect(engine.memory().blocks.slots).toBeLessThan(8);
  });

  test('for two blocks: said so', async () => {
    limitMemory(67 * 32 * 2 + 5000);
    await expect(open(model)).rejects.toMatchObject({ code: 'out-of-memory' });
  });
});

/** A model's weights; `before` hears of every read of a block. */
function watched({ weights }: TestModel, before: (source: number) => unknown): WeightSource {
  const sources = new Map<string, number>();
  return {
    ...weights,
    layerTensor(role, source) {
      const tensor = weights.layerTensor(role, source);
      sources.set(tensor.name, source);
      return tensor;
    },
    async read(tensor: TensorRef) {
      const source = sources.get(tensor.name);
      if (source !== undefined) await before(source);
      return weights.read(tensor);
    },
  };
}

/** Three blocks of the size of Llama 2 7B's. */
const sevenBillion = { heads: 32, kvHeads: 32, headDim: 128, ffn: 11_008 };
const sevenBillionShape = {
  ...tinyShape([0, 1, 2].map((source) => ({ source, ...sevenBillion }))),
  hidden: 4096,
};
/** Gate and up projection lie in one buffer, the largest of a block. */
const gateUpBytes = 2 * 2 * 11_008 * 4096;
const binds = (context.info.limits['maxStorageBufferBindingSize'] ?? 0) >= gateUpBytes;

test.runIf(!binds)(
  'not on this adapter: blocks of a model of 7 billion parameters, which it refuses to bind',
  async () => {
    const shape = sevenBillionShape;
    await expect(open({ shape, weights: syntheticWeights(shape) })).rejects.toMatchObject({
      code: 'unsupported-limit',
      message: expect.stringContaining(`needed are ${gateUpBytes}`),
    });
  },
);

test.runIf(longTier && binds)('blocks of a model of 7 billion parameters, in the memory of two of them', async () => {
  const shape = sevenBillionShape;
  const { layers } = shape;
  const blockBytes = 2 * (4 * 4096 * 4096 + 3 * 4096 * 11_008) + 2 * 4 * 4096;
  const tokens = [[1, 2, 3, 4]];
  const whole = await open({ shape, weights: syntheticWeights(shape) });
  const expected = await whole.score(layers, tokens);
  whole.dispose();
  const engine = await open({ shape, weights: syntheticWeights(shape) }, { memoryBytes: 1 });
  expect(engine.memory().blocks).toMatchObject({ slots: 2, bytes: 3 * blockBytes });
  // Taylor's way back is the bench's: a software adapter takes minutes for it.
  expect(await engine.score(layers, tokens)).toEqual(expected);
  const { peakBytes } = engine.memory();
  expect(peakBytes).toBeGreaterThan(2 * blockBytes);
  expect(peakBytes).toBeLessThan(2 * blockBytes + 2 ** 25);
});
