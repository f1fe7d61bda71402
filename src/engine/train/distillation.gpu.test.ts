/** @file Distillation in the engine: against full training where they agree, with a teacher of another shape, with streamed blocks. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import type { AdamW } from '../../numerics/adamw';
import type { TokenSequences } from '../../numerics/tokens';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, tinyShape } from '../testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.dispose();
});

const optimizer: AdamW = { learningRate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
const base = tinyShape([block(0), block(1), block(2)]);
const rows: TokenSequences = [
  [1, 5, 9, 13, 17, 21, 25, 29],
  [66, 0, 2, 4, 3],
];

/** The base's engine, and one of a variant whose weights are trained. */
async function opened(layers = base.layers, options: EngineOptions = {}, shape: ModelShape = base) {
  const model = randomModel(shape, 'F32');
  const teacher = await Engine.create(context, model, options);
  open.push(teacher);
  const student = await teacher.open({
    ...{ id: 'student', shape: { ...shape, layers }, weights: model.weights },
    writeBack: async () => undefined,
  });
  return { teacher, student, trainer: student.trainer() };
}

test('without weight for the teacher it is full training', async () => {
  const { teacher, trainer } = await opened(base.layers.slice(0, 2));
  const other = await opened(base.layers.slice(0, 2));
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
  const { teacher, trainer } = await opened();
  const { loss, divergence, gradientNorm } = await trainer.step(rows, {
    optimizer,
    distill: { teacher, temperature: 3, weight: 1 },
  });
  expect({ loss, divergence, gradientNorm }).toEqual({ loss: 0, divergence: 0, gradientNorm: 0 });
});
