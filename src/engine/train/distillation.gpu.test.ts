/** @file Distillation in the engine: against full training and float64 where they agree, in micro-batches, and where memory is short. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { ModelView } from '../../model/view';
import type { TensorRef, WeightSource } from '../../model/weights';
import type { AdamW } from '../../numerics/adamw';
import { distillationLoss } from '../../numerics/distillation';
import { modelLogits } from '../../numerics/model';
import type { TokenSequences } from '../../numerics/tokens';
import { inFloat32 } from '../../weights/inFloat32';
import { WrittenWeights } from '../../weights/written';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, randomValues, type TestModel, tinyShape } from '../testing/testWeights';
import type { Factor } from './loraSetting';
import type { StepOptions } from './trainer';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.dispose();
});

const optimizer: AdamW = { learningRate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
/** Steps that change nothing: what they measure can be compared. */
const still: AdamW = { ...optimizer, learningRate: 0 };
const base = randomModel(tinyShape([block(0), block(1), block(2)]), 'F32');
const cut = base.shape.layers.slice(0, 2);
const rows: TokenSequences = [
  [1, 5, 9, 13, 17, 21, 25, 29],
  [66, 0, 2, 4, 3, 8, 8],
  [40, 41, 42, 43, 44, 45],
];

async function engineOf(model: TestModel, options: EngineOptions = {}): Promise<Engine> {
  const engine = await Engine.create(context, model, options);
  open.push(engine);
  return engine;
}

/** A view of the model whose weights are its own and may be written. */
function writable({ weights, shape }: TestModel, layers = shape.layers): ModelView {
  const written = new WrittenWeights(inFloat32(shape, weights, 'training'), 'training written');
  const writeBack = (source: number, pieces: Parameters<WrittenWeights['writeBack']>[1]) =>
    written.writeBack(source, pieces);
  return { id: 'student', shape: { ...shape, layers }, weights: written, writeBack };
}

async function pair(layers: readonly LayerShape[] = cut, options: EngineOptions = {}) {
  const teacher = await engineOf(base, options);
  const student = await teacher.open(writable(base, layers));
  return { teacher, student, trainer: student.trainer() };
}

test('without weight for the teacher it is full training', async () => {
  const [{ teacher, trainer }, other] = [await pair(), await pair()];
  const distill = { teacher, temperature: 2, weight: 0 };
  for (let step = 0; step < 2; step++) {
    const full = await other.trainer.step(rows, { optimizer, clip: 1 });
    const distilled = await trainer.step(rows, { optimizer, clip: 1, distill });
    expect(distilled.loss).toBeCloseTo(full.loss, 5);
    expect(distilled.gradientNorm / full.gradientNorm).toBeCloseTo(1, 5);
    expect(full).toMatchObject({ crossEntropy: full.loss, divergence: null });
    expect(distilled.divergence).toBeGreaterThan(0.001);
  }
});

test('a student that is its teacher has nothing to learn from it', async () => {
  const { teacher, trainer } = await pair(base.shape.layers);
  const { loss, divergence, gradientNorm } = await trainer.step(rows, {
    optimizer,
    distill: { teacher, temperature: 3, weight: 1 },
  });
  expect({ loss, divergence, gradientNorm }).toEqual({ loss: 0, divergence: 0, gradientNorm: 0 });
});

test('a teacher of another width and type, with a head of its own in other parts and chunks', async () => {
  const shape: ModelShape = { ...tinyShape([block(0), block(1)]), hidden: 24, tiedHead: false };
  const other = randomModel(shape, 'F16', 7);
  const elsewhere = (ref: TensorRef): TensorRef => ({ ...ref, file: 'other' });
  const weights: WeightSource = {
    ...other.weights,
    layerTensor: (role, source) => elsewhere(other.weights.layerTensor(role, source)),
    modelTensor: (role) => elsewhere(other.weights.modelTensor(role)),
  };
  const engine = await engineOf(base, { vocabPartBytes: 24 * 24 * 4, logitBytes: 1024 });
  const teacher = await engine.open({ id: 'teacher', shape, weights });
  const trainer = (await engine.open(writable(base))).trainer();
  const setting = { temperature: 1.5, weight: 0.7 };
  const found = await trainer.step(rows, { optimizer: still, distill: { teacher, ...setting } });
  const vocab = 67;
  const terms = rows.flatMap((row) => {
    const [own, taught] = [base, { ...other, shape }].map((model) => modelLogits(model.shape, model.reference, row));
    return row.slice(1).map((target, at) => {
      const logitsOf = (all: Float64Array) => all.subarray(at * vocab, (at + 1) * vocab);
      return distillationLoss(logitsOf(own!), logitsOf(taught!), target, setting);
    });
  });
  for (const part of ['loss', 'crossEntropy', 'divergence'] as const) {
    expect(found[part], part).toBeCloseTo(terms.reduce((sum, term) => sum + term[part], 0) / terms.length, 4);
  }
});

test('micro-batches have the loss and the gradients of the whole batch', async () => {
  const { teacher, trainer } = await pair();
  const distill = { teacher, temperature: 2, weight: 0.5 };
  // The second row counts nowhere, and so a whole micro-batch.
  const settings: Pick<StepOptions, 'distill' | 'firstTargets'>[] = [{}, { firstTargets: [3, 9, 2] }, { distill }];
  for (const setting of settings) {
    const whole = await trainer.step(rows, { optimizer: still, ...setting });
    const parts = await trainer.step(rows, { optimizer: still, ...setting, microBatch: 1 });
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    expect(parts.gradientNorm / whole.gradientNorm).toBeCloseTo(1, 5);
  }
  const responses = await trainer.step(rows, { optimizer: still, firstTargets: [3, 9, 2] });
  const alone = await trainer.step([rows[0]!, rows[2]!], { optimizer: still, firstTargets: [3, 2] });
  expect(responses.loss).toBeCloseTo(alone.loss, 5);
});

/** Blocks of other widths than the base's, one without an attention. */
const uneven = randomModel(
  tinyShape([block(0, { heads: 2, kvHeads: 1, ffn: 20 }), block(1, { ...noAttention, ffn: 12 })]),
  'F32',
  5,
);

/** AdamW's first step moves every element by the learning rate against its gradient: the loss falls by the rate times Σ|gradient|. */
test.each([
  ['all weights of uneven blocks, towards the base', 'full', { temperature: 2, weight: 0.8 }, undefined],
  ['factors beside uneven blocks, towards the base', 'lora', { temperature: 2, weight: 0.8 }, undefined],
  ['factors, on responses only', 'lora', null, [3, 9, 2]],
] as const)('the loss falls as the gradients say: %s', async (_, method, setting, firstTargets) => {
  const teacher = await engineOf(base);
  const student = await teacher.open(writable(uneven));
  const trainer = method === 'full' ? student.trainer() : student.loraTrainer({ rank: 2, alpha: 4, initial });
  const learningRate = 5e-5;
  const options = { firstTargets, distill: setting === null ? undefined : { teacher, ...setting } };
  const before = await trainer.step(rows, { optimizer: { ...optimizer, learningRate, epsilon: 1e-12 }, ...options });
  let slope = 0;
  await trainer.save(async ({ kind, values }) => {
    if (kind === 'first') slope += values.reduce((sum, value) => sum + Math.abs(value) / (1 - optimizer.beta1), 0);
  });
  const after = await trainer.step(rows, { optimizer: still, ...options });
  expect(slope).toBeGreaterThan(1);
  expect((before.loss - after.loss) / (learningRate * slope)).toBeCloseTo(1, 1);
});

/** Both factors differ from 0, so that both have gradients. */
function initial({ dims, layer }: Factor): Float32Array<ArrayBuffer> {
  return randomValues(dims[0] * dims[1], 11 + layer, 0.3);
}

test('blocks of both models that take turns on the GPU change nothing, with updates block by block', async () => {
  const [ample, short] = [await pair(), await pair(cut, { memoryBytes: 1 })];
  for (const { teacher, trainer } of [ample, short]) {
    await trainer.step(rows, { optimizer, clip: 0.5, distill: { teacher, temperature: 2, weight: 0.5 } });
  }
  expect(short.teacher.memory().blocks.slots).toBe(2);
  const last = ({ teacher, trainer }: typeof ample) =>
    trainer.step(rows, { optimizer, clip: 0.5, distill: { teacher, temperature: 2, weight: 0.5 }, microBatch: 2 });
  expect(await last(short)).toEqual(await last(ample));
});

test('what cannot be distilled is refused', async () => {
  const { teacher, student, trainer } = await pair();
  const step = (changes: Partial<StepOptions>) => trainer.step(rows, { optimizer, ...changes });
  const distill = { teacher, temperature: 2, weight: 0.5 };
  const narrow = { shape: { vocab: 12 }, lend: teacher.lend.bind(teacher) };
  const refused: [Partial<StepOptions>, string][] = [
    [{ distill: { ...distill, teacher: narrow } }, 'teacher: its vocabulary has 12 tokens, the student’s 67.'],
    [{ distill: { ...distill, temperature: 0 } }, 'temperature: expected a number above 0, got 0.'],
    [{ distill: { ...distill, weight: 1.5 } }, 'weight: expected a number from 0 to 1, got 1.5.'],
    [
      { distill: { ...distill, teacher: await engineOf(base) } },
      'teacher: it is open on another GPU or in another engine.',
    ],
    [{ firstTargets: [1, 2] }, 'firstTargets: expected an integer of at least 1 for every row, got 2 for 3 rows.'],
    [{ firstTargets: [1, 0, 2] }, 'firstTargets: expected an integer of at least 1 for every row, got 0.'],
    [{ firstTargets: [9, 9, 9] }, 'firstTargets: expected a token whose loss counts'],
    [{ microBatch: 0 }, 'microBatch: expected an integer of at least 1, got 0.'],
  ];
  for (const [changes, message] of refused) {
    await expect(step(changes), message).rejects.toMatchObject({
      code: 'bad-argument',
      message: expect.stringContaining(message),
    });
  }
  expect(trainer.steps).toBe(0);
  expect(teacher.busy || student.busy).toBe(false);
});
