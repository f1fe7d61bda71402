/** @file Engines of variants beside their base: what they share, what they upload, and that their numbers are their own. */
import { afterEach, expect, test } from 'vitest';
import { deferred } from '../deferred';
import type { LayerShape, ModelShape } from '../model/shape';
import type { ModelView } from '../model/view';
import type { TensorRef, WeightSource } from '../model/weights';
import { Engine, type EngineOptions } from './engine';
import type { GpuContext } from './gpu/device';
import { sharedTestDevice } from './testing/harness';
import { block, noAttention, randomModel, type TestModel, tinyShape } from './testing/testWeights';

const context: GpuContext = await sharedTestDevice();
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

const shape = tinyShape([0, 1, 2, 3].map((source) => block(source)));
const model = randomModel(shape, 'F16');
/** Every tensor has values of its own. */
const other = randomModel(shape, 'F16', 2);
const sequences = [
  [1, 5, 9, 13, 17, 21, 25, 29, 33],
  [40, 41, 42, 43, 44],
];

async function open(options: EngineOptions = {}, of: Pick<TestModel, 'shape' | 'weights'> = model): Promise<Engine> {
  const engine = await Engine.create(context, of, options);
  engines.push(engine);
  return engine;
}

/** The model's weights, with those tensors taken from a patch for which `isPatched` holds. */
function patched(
  base: WeightSource,
  patch: WeightSource,
  file: string,
  isPatched: (role: string, source?: number) => boolean,
) {
  const own = (ref: TensorRef): TensorRef => ({ ...ref, file });
  const weights: WeightSource = {
    layerTensor: (role, source) =>
      isPatched(role, source) ? own(patch.layerTensor(role, source)) : base.layerTensor(role, source),
    modelTensor: (role) => (isPatched(role) ? own(patch.modelTensor(role)) : base.modelTensor(role)),
    read: (ref) => (ref.file === file ? patch.read(ref) : base.read(ref)),
    file: (name) => (name === file ? patch.file(name) : base.file(name)),
  };
  return weights;
}

const without = (removed: readonly number[]): ModelShape => ({
  ...shape,
  layers: shape.layers.filter((_, layer) => !removed.includes(layer)),
});
const half = (layer: LayerShape, changes: Partial<LayerShape>): LayerShape => ({ ...layer, ...changes });

/** Blocks and attentions or MLPs removed; no weights of its own. */
const pruned: ModelView = {
  id: 'pruned',
  shape: {
    ...shape,
    layers: [half(shape.layers[0]!, noAttention), shape.layers[1]!, half(shape.layers[3]!, { ffn: 0 })],
  },
  weights: model.weights,
};
const onePatched: ModelView = {
  id: 'patched',
  shape,
  weights: patched(model.weights, other.weights, 'patch', (role, source) => role === 'downProj' && source === 2),
};
const ownVocabulary: ModelView = {
  id: 'vocabulary',
  shape: without([1]),
  weights: patched(model.weights, other.weights, 'vocabulary', (role) => role === 'embed' || role === 'finalNorm'),
};

/** What a fresh engine of the view says. */
async function fresh<T>(view: ModelView, task: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create(context, view);
  try {
    return await task(engine);
  } finally {
    engine.dispose();
  }
}

/** Every measurement of an engine. */
async function measured(engine: Engine): Promise<unknown> {
  const { layers } = engine.shape;
  const units = layers.flatMap((_, layer) => [
    { kind: 'block' as const, layer },
    { kind: 'mlp' as const, layer },
  ]);
  const decoder = engine.decoder(layers, { positions: 16 });
  try {
    return {
      score: await engine.score(layers, sequences),
      sweep: await engine.removalSweep(sequences, units),
      survey: await engine.combinedPass(sequences, { width: true }),
      taylor: await engine.taylor(sequences, { vocabulary: true }),
      statistics: await engine.blockStatistics(sequences),
      influence: await engine.subBlockInfluence(sequences),
      magnitudes: await engine.magnitudes(),
      columns: await engine.columnSums(),
      divergence: await engine.divergence([layers.slice(1)], sequences),
      logits: await engine.logits(layers, sequences[1]!, 'last'),
      hidden: await engine.hidden(layers, sequences[1]!, 1),
      text: [await decoder.logits([1, 2, 3]), await decoder.logits([4])],
    };
  } finally {
    decoder.close();
  }
}

const score = (engine: Engine) => engine.score(engine.shape.layers, sequences);
const uploaded = (engine: Engine): number => engine.memory().blocks.uploadedBytes;

test('a variant without weights of its own uploads nothing, one with a patched tensor one block; switching uploads nothing', async () => {
  const base = await open();
  const all = uploaded(base);
  const { liveBytes } = base.memory();
  const variant = await base.open(pruned);
  expect([uploaded(base), base.memory().liveBytes]).toEqual([all, liveBytes]);
  const second = await base.open(onePatched);
  expect(uploaded(base)).toBe(all + all / 4);
  const scores = [await score(base), await score(variant), await score(second)];
  for (let round = 0; round < 2; round++) {
    expect([await score(base), await score(variant), await score(second)]).toEqual(scores);
  }
  expect(uploaded(base)).toBe(all + all / 4);
  expect(base.memory().blocks).toMatchObject({ blocks: 5, slots: 5, streamedBytes: 0 });
  expect(scores[1]).toEqual(await fresh(pruned, score));
  expect(scores[2]).toEqual(await fresh(onePatched, score));
  expect(scores[2]).not.toEqual(scores[0]);
});

test('every measurement of a variant is that of an engine of its own, bit for bit', async () => {
  const base = await open();
  const variant = await base.open(pruned);
  expect(await measured(variant)).toEqual(await fresh(pruned, measured));
  const { kernels, tokens } = await variant.profile('forward', sequences);
  expect(tokens).toBe(14);
  // Two attentions, for each of two batches.
  expect(kernels.find(({ kernel }) => kernel.startsWith('rope'))?.launches).toBe(4);
  expect(variant.tuning().left).toBeGreaterThan(0);
});

test('little memory: base and variants take turns, with the same numbers', async () => {
  const base = await open({ memoryBytes: 1 });
  const views = [pruned, onePatched, ownVocabulary];
  const variants = await Promise.all(views.map((view) => base.open(view)));
  expect(base.memory().blocks).toMatchObject({ blocks: 5, slots: 2 });
  const expected = await Promise.all(views.map((view) => fresh(view, score)));
  const whole = await (await open()).score(shape.layers, sequences);
  for (let round = 0; round < 2; round++) {
    expect(await score(base)).toEqual(whole);
    for (const [index, variant] of variants.entries()) expect(await score(variant)).toEqual(expected[index]);
  }
  // Both lanes at once, each with a view of its own.
  const taylor = await fresh(onePatched, (engine) => engine.taylor(sequences));
  const both = await Promise.all([
    variants[1]!.taylor(sequences),
    score(variants[0]!),
    score(base),
    score(variants[2]!),
  ]);
  expect(both).toEqual([taylor, expected[0], whole, expected[2]]);
  expect(base.memory().blocks.slots).toBe(2);
});

test('a view with layers of its own sizes, wider and narrower than the base’s, beside the base', async () => {
  const layers = [
    block(0, { heads: 2, kvHeads: 1, ffn: 20 }),
    block(1),
    block(2, { heads: 8, kvHeads: 4, ffn: 132 }),
    block(3, { ffn: 7 }),
  ];
  const sized = randomModel({ ...shape, layers }, 'F16', 3);
  const weights = patched(model.weights, sized.weights, 'sizes', (_, source) => source !== undefined && source !== 1);
  const view: ModelView = { id: 'sized', shape: { ...shape, layers }, weights };
  const expected = await fresh(view, measured);
  for (const memoryBytes of [undefined, 1]) {
    const base = await open({ memoryBytes });
    const variant = await base.open(view);
    const before = await score(base);
    expect(await measured(variant)).toEqual(expected);
    expect(await score(base)).toEqual(before);
    expect(base.memory().blocks.blocks).toBe(7);
  }
});

test('closing a view frees what only it uses; the engines of others work on', async () => {
  const base = await open();
  const whole = await score(base); // makes the table of the rotary embedding
  const { liveBytes } = base.memory();
  const first = await base.open(ownVocabulary);
  const second = await base.open(onePatched);
  const [expected, own] = [await score(second), await score(first)];
  expect(base.memory().liveBytes).toBeGreaterThan(liveBytes);
  await first.close();
  expect(await score(second)).toEqual(expected);
  await second.close();
  await second.close();
  expect(base.memory().liveBytes).toBe(liveBytes);
  expect(await score(base)).toEqual(whole);
  await expect(score(second)).rejects.toMatchObject({ code: 'not-loaded' });
  const again = await base.open(ownVocabulary);
  expect(await score(again)).toEqual(own);
  base.dispose();
  await again.close();
  await expect(base.open(onePatched)).rejects.toMatchObject({ code: 'not-loaded' });
});

test('a view that closes during its task: the task rejects, and another view’s task on the other lane goes on', async () => {
  const base = await open();
  const variant = await base.open(onePatched);
  const whole = await score(base);
  const begun = deferred();
  const taylor = variant.taylor(sequences, { onProgress: () => begun.resolve() });
  const waiting = variant.taylor(sequences);
  await begun.promise;
  const beside = score(base);
  const closed = variant.close();
  await expect(taylor).rejects.toMatchObject({ code: 'not-loaded' });
  await expect(waiting).rejects.toMatchObject({ code: 'not-loaded' });
  await closed;
  expect(await beside).toEqual(whole);
  expect(base.memory().blocks.blocks).toBe(4);
});

test('a cancelled open frees what it had uploaded, and the next one works', async () => {
  const base = await open();
  const { liveBytes } = base.memory();
  const controller = new AbortController();
  const view: ModelView = {
    ...ownVocabulary,
    weights: {
      ...ownVocabulary.weights,
      read: (ref) => {
        controller.abort();
        return ownVocabulary.weights.read(ref);
      },
    },
  };
  await expect(base.open(view, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(base.memory().liveBytes).toBe(liveBytes);
  expect(await score(await base.open(ownVocabulary))).toEqual(await fresh(ownVocabulary, score));
});

test('a broken value is refused by name in the view that has it, and in no other', async () => {
  const broken = patched(
    model.weights,
    {
      ...other.weights,
      read: async (ref) => {
        const bytes = await other.weights.read(ref);
        new DataView(bytes.buffer).setUint16(6, 0x7e00, true);
        return bytes;
      },
    },
    'broken',
    (role, source) => role === 'upProj' && source === 3,
  );
  const base = await open();
  const variant = await base.open({ id: 'broken', shape, weights: broken });
  await expect(score(variant)).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('upProj 3[3]'),
  });
  await expect(variant.magnitudes()).rejects.toMatchObject({ code: 'non-finite' });
  expect((await score(base)).tokens).toBe(12);
  expect((await variant.score(shape.layers.slice(0, 3), sequences)).tokens).toBe(12);
});
