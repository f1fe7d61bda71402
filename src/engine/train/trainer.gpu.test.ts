/** @file Full training against the float64 model: losses and every weight after some steps, and PyTorch's losses on a real checkpoint. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LayerRole, layerRoles, type ModelRole, type ModelShape, modelRoles } from '../../model/shape';
import type { WrittenPiece } from '../../model/view';
import { type AdamW, adamwStep, clipFactor, type Moments } from '../../numerics/adamw';
import { modelMeanNll, type ReferenceWeights } from '../../numerics/model';
import { modelGradients } from '../../numerics/modelBackward';
import type { TokenSequences } from '../../numerics/tokens';
import '../testing/allclose';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { longTier, sharedTestDevice } from '../testing/harness';
import { block, randomModel, readModel, type TestModel, tinyShape } from '../testing/testWeights';
import type { Trainer } from './trainer';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const open: { engine: Engine; trainer: Trainer }[] = [];
afterEach(() => {
  for (const { engine, trainer } of open.splice(0)) {
    trainer.close();
    engine.dispose();
  }
});

const optimizer: AdamW = { learningRate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const biases = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'] as const;
/** Biases, norms of heads, an odd width, a missing MLP, a head of its own. */
const uneven: ModelShape = {
  ...tinyShape([
    block(0, { biases }),
    block(1, { heads: 2, kvHeads: 1, headDim: 6, ffn: 21, qkNorm: 'head' }),
    block(2, { ffn: 0 }),
  ]),
  hidden: 33,
  tiedHead: false,
};
/** A tied head, norms on both sides. */
const tied = tinyShape([block(0, { normPlacement: 'both', qkNorm: 'all' }), block(1)]);
const batches: TokenSequences[] = [
  [
    [1, 5, 9, 13, 17, 21, 25, 29],
    [66, 0, 2, 4, 3],
  ],
  [
    [40, 41, 42, 43, 44],
    [8, 9, 10],
  ],
  [[7, 7, 8, 1, 2, 3]],
];

/** An engine whose view is trained, and the weights of its blocks as they were written back. */
async function opened({ shape, weights }: Pick<TestModel, 'shape' | 'weights'>, options: EngineOptions = {}) {
  const written = new Map<string, Float32Array>();
  const writeBack = async (source: number, pieces: AsyncIterable<WrittenPiece>): Promise<void> => {
    for await (const { role, dims, begin, bytes } of pieces) {
      const name = `${role} ${source}`;
      const values = written.get(name) ?? new Float32Array(dims.reduce((a, b) => a * b, 1));
      values.set(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), begin / 4);
      written.set(name, values);
    }
  };
  const engine = await Engine.create(context, { shape, weights, writeBack }, options);
  const trainer = engine.trainer();
  open.push({ engine, trainer });
  return { engine, trainer, written };
}

async function tableOf(trainer: Trainer, role: ModelRole): Promise<number[]> {
  const values: number[] = [];
  await trainer.table(role, async (piece) => void values.push(...piece));
  return values;
}

/** The float64 model trained likewise: losses, norms, and the weights in place. */
function trainReference(shape: ModelShape, reference: ReferenceWeights, clip: number) {
  const copy = (values: ArrayLike<number>) => Float64Array.from(values);
  const weights = {
    embed: copy(reference.embed),
    finalNorm: copy(reference.finalNorm),
    ...(reference.lmHead && { lmHead: copy(reference.lmHead) }),
    layers: reference.layers.map((layer) =>
      Object.fromEntries(Object.entries(layer).map(([role, values]) => [role, copy(values)])),
    ),
  };
  const moments = new Map<string, Moments>();
  const steps = batches.map((batch, at) => {
    const loss = modelMeanNll(shape, weights as ReferenceWeights, batch);
    const gradients = modelGradients(shape, weights as ReferenceWeights, batch);
    const named: [string, Float64Array, Float64Array][] = [
      ...modelRoles(shape).map((role): [string, Float64Array, Float64Array] => [
        role,
        weights[role]!,
        gradients[role]!,
      ]),
      ...shape.layers.flatMap((layer) =>
        layerRoles(layer).map((role): [string, Float64Array, Float64Array] => [
          `${role} ${layer.source}`,
          weights.layers[layer.source]![role]!,
          gradients.layers[layer.source]![role]!,
        ]),
      ),
    ];
    const norm = Math.sqrt(
      named.reduce((sum, [, , g]) => sum + g.reduce((squares, value) => squares + value * value, 0), 0),
    );
    const scale = clipFactor(norm, clip);
    for (const [name, weight, gradient] of named) {
      const zeros = () => new Float64Array(weight.length);
      const own = moments.get(name) ?? { first: zeros(), second: zeros() };
      moments.set(name, own);
      adamwStep(
        weight,
        gradient.map((value) => value * scale),
        own,
        at + 1,
        optimizer,
      );
    }
    return { loss, norm };
  });
  return { steps, weights };
}

const models = [
  ['biases, norms of heads, an odd width, a head of its own', uneven],
  ['a tied head, norms on both sides', tied],
] as const;
describe.each(longTier ? models : models.slice(0, 1))('%s', (_, shape) => {
  test('three steps: losses, norms and every weight of the float64 model', async () => {
    const model = randomModel(shape, 'F32');
    const { engine, trainer, written } = await opened(model, { vocabPartBytes: 24 * shape.hidden * 4 });
    const clip = 0.5;
    const expected = trainReference(shape, model.reference, clip);
    for (const [at, batch] of batches.entries()) {
      const { loss, gradientNorm } = await trainer.step(batch, { optimizer, clip });
      expect(loss).toBeCloseTo(expected.steps[at]!.loss, 5);
      expect(gradientNorm / expected.steps[at]!.norm).toBeCloseTo(1, 4);
    }
    expect(Math.max(...expected.steps.map(({ norm }) => norm))).toBeGreaterThan(clip);
    // The later steps divide small gradients by their own size: an element whose gradient is rounding alone may go either way.
    const near = { rtol: 1e-3, atol: 3 * optimizer.learningRate * 0.02 };
    for (const role of modelRoles(shape)) {
      expect(await tableOf(trainer, role), role).toBeAllclose(expected.weights[role]!, near);
    }
    await engine.flush();
    for (const layer of shape.layers) {
      for (const role of layerRoles(layer)) {
        const name = `${role} ${layer.source}`;
        if (role === 'kBias') continue; // its gradient is rounding alone where the softmax does not see it
        expect(written.get(name), name).toBeAllclose(expected.weights.layers[layer.source]![role as LayerRole]!, near);
      }
    }
  });
});

test('a cancelled step changes nothing, and a loss that is no number is refused before any weight changes', async () => {
  const model = randomModel(tied, 'F32');
  const { engine, trainer } = await opened(model);
  const before = await engine.score(tied.layers, batches[0]!);
  await expect(trainer.step(batches[0]!, { optimizer, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(await engine.score(tied.layers, batches[0]!)).toEqual(before);
  expect(trainer.steps).toBe(0);
  await trainer.step(batches[0]!, { optimizer: { ...optimizer, learningRate: 1e30 } });
  await expect(trainer.step(batches[0]!, { optimizer })).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('Step 2'),
  });
  expect(trainer.steps).toBe(1);
});

test('a state that was saved and restored goes on to the last bit', async () => {
  const first = await opened(randomModel(tied, 'F32'));
  for (const batch of batches.slice(0, 2)) await first.trainer.step(batch, { optimizer, clip: 0.5 });
  const saved = new Map<string, Float32Array<ArrayBuffer>>();
  await first.trainer.save(async ({ key, kind, count, first: begin, values }) => {
    const name = `${kind} ${key}`;
    const whole = saved.get(name) ?? new Float32Array(count);
    whole.set(values, begin);
    saved.set(name, whole);
  });
  const last = await first.trainer.step(batches[2]!, { optimizer, clip: 0.5 });
  const second = await opened(randomModel(tied, 'F32'));
  await second.trainer.restore({
    steps: 2,
    read: async (key, kind, begin, count) => saved.get(`${kind} ${key}`)!.slice(begin, begin + count),
  });
  expect(second.trainer.steps).toBe(2);
  expect(await second.trainer.step(batches[2]!, { optimizer, clip: 0.5 })).toEqual(last);
  expect(await tableOf(second.trainer, 'embed')).toEqual(await tableOf(first.trainer, 'embed'));
});

test('memory: moments stay between steps, everything else goes; close frees them', async () => {
  const { engine, trainer } = await opened(randomModel(tied, 'F32'));
  await engine.taylor(batches[0]!); // the tables of angles stay
  const start = engine.memory().liveBytes;
  await trainer.step(batches[0]!, { optimizer });
  const after = engine.memory().liveBytes;
  expect(after).toBeGreaterThan(start);
  await trainer.step(batches[1]!, { optimizer });
  expect(engine.memory().liveBytes).toBe(after);
  trainer.close();
  expect(engine.memory().liveBytes).toBe(start);
});

const shared = '../shared/golden/stories260K-cut.json';
describe.skipIf(!existsSync(shared))('skipped when ../shared is not beside the project', () => {
  test('the losses of PyTorch on stories260K without a block', async () => {
    const { training } = JSON.parse(readFileSync(shared, 'utf8')) as {
      training: {
        full: { removed_block: number; rows: number[][]; batch: number; learningRate: number; losses: number[] };
      };
    };
    const { removed_block, rows, batch, learningRate, losses } = training.full;
    const model = readModel('../shared/models/stories260K');
    const layers = model.shape.layers.filter(({ source }) => source !== removed_block);
    const { trainer } = await opened({ ...model, shape: { ...model.shape, layers } });
    const steps = longTier ? losses.length : 4;
    for (let step = 0; step < steps; step++) {
      const chosen = Array.from({ length: batch }, (_, at) => rows[(step * batch + at) % rows.length]!);
      const setting = { ...optimizer, weightDecay: 0, learningRate };
      const { loss } = await trainer.step(chosen, { optimizer: setting, clip: 1 });
      expect(loss, `step ${step}`).toBeCloseTo(losses[step]!, 3);
    }
  });
});
