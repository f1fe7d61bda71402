/** @file Products in f16: the tuner measures them where they are allowed, accepts their rounding and refuses a wrong one. */
import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { modelLogits } from '../../numerics/model';
import '../testing/allclose';
import { Engine } from '../engine';
import type { Kernel } from '../gpu/kernel';
import type { Operation, TileTrial, TunedClass } from '../kernels/matmulClasses';
import { longTier, sharedTestDevice } from '../testing/harness';
import { randomModel } from '../testing/testWeights';
import { type KernelOf, kernelOf } from './matmulTrial';
import { type TuneOptions, tolerances } from './tuner';

const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  // Four does not divide the second one's ffn: its product has no tile in f16.
  layers: [44, 42].map((ffn, source) => ({ source, heads: 4, kvHeads: 2, headDim: 8, ffn })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const model = randomModel(shape, 'F16');
const tokens = Array.from({ length: 40 }, (_, i) => i);

const context = await sharedTestDevice();
const here = context.info.features.includes('shader-f16');

/** More than it takes, on a busy machine too; no tile is given up as slow. */
const whole = { budgetMs: 240_000, patience: Number.POSITIVE_INFINITY };

async function tuned(options: TuneOptions, float16Matmuls = true): Promise<readonly TunedClass[]> {
  const engine = await Engine.create(context, model, { float16Matmuls });
  try {
    return (await engine.tune({ ...whole, ...options })).measured;
  } finally {
    engine.dispose();
  }
}

const moreOperations: readonly Operation[] = ['swiglu', 'headGradient'];

const trialOf = ({ trials }: TunedClass, name: string): TileTrial | undefined =>
  trials.find(({ tile }) => tile === name);

test.runIf(!here)(
  'not on this adapter: products in f16, which are not measured even where they are allowed',
  async () => {
    const measured = await tuned({ budgetMs: 1, operations: ['linear'] });
    expect(measured.length).toBe(1);
    expect(measured.map((one) => trialOf(one, 'f16'))).toEqual([undefined]);
  },
);

test.runIf(here)('products in f16 are not measured unasked', async () => {
  const measured = await tuned({ budgetMs: 1, operations: ['linear'] }, false);
  expect(measured.length).toBe(1);
  expect(measured.map((one) => trialOf(one, 'f16'))).toEqual([undefined]);
});

test.runIf(here)('where they are allowed forward operations have them, and their rounding is accepted', async () => {
  // LLVM takes seconds for all tiles of an operation.
  const operations: readonly Operation[] = ['linear', 'headPartials', ...(longTier ? moreOperations : [])];
  const measured = await tuned({ operations });
  expect(new Set(measured.map(({ operation }) => operation))).toEqual(new Set(operations));
  expect(new Set(measured.map(({ byFour }) => byFour))).toEqual(new Set([true, false]));
  for (const one of measured) {
    const trial = trialOf(one, 'f16');
    expect(trial === undefined).toBe(!one.byFour);
    if (trial === undefined) continue;
    expect(trial.refused).toBeNull();
    expect(trial.milliseconds).toBeGreaterThan(0);
  }

  // Chosen, for any number of rows, they run, and the logits tell: near the float64 model's, not as near as in f32.
  const asFastest = measured.flatMap((one) =>
    Array.from({ length: 8 }, (_, rows) => ({ ...one, rows, ...(one.byFour ? { tile: 'f16' as const } : {}) })),
  );
  const engine = await Engine.create(context, model, { float16Matmuls: true, tuned: asFastest });
  const full = await Engine.create(context, model, { tuned: asFastest });
  try {
    const expected = modelLogits(shape, model.reference, tokens);
    const largest = expected.reduce((top, logit) => Math.max(top, Math.abs(logit)), 0);
    const away = async (of: Engine): Promise<number> => {
      const got = await of.logits(shape.layers, tokens, 'all');
      return Math.max(...expected.map((logit, i) => Math.abs(got[i]! - logit))) / largest;
    };
    const { kernels } = await engine.profile('forward', [tokens]);
    expect(kernels.map(({ kernel }) => kernel)).toContain('linear F16 f16');
    expect(await away(engine)).toBeLessThan(1e-2);
    expect(await away(engine)).toBeGreaterThan(1e-5);
    // Without the permission the same measurements are not followed.
    expect(await away(full)).toBeLessThan(1e-5);
  } finally {
    engine.dispose();
    full.dispose();
  }
});

test.runIf(here)('a wrong one is refused, and f16 under the name of a tile in f32', async () => {
  const usual = kernelOf('linear', 'F16', 'f16');
  // The last of the row's products is left out: too little to see in a score.
  const wrong: Kernel = { ...usual, code: usual.code.replace('k < steps', 'k + 1u < steps') };
  expect(wrong.code).not.toBe(usual.code);
  const records: KernelOf = (operation, dtype, tile) => {
    if (tile === 'f16') return wrong;
    return tile === '16x8' ? usual : kernelOf(operation, dtype, tile);
  };
  const measured = await tuned({ operations: ['linear'], kernelOf: records });
  const byFour = measured.filter((one) => one.byFour);
  expect(byFour.length).toBeGreaterThan(0);
  for (const one of byFour) {
    expect(['f16', '16x8']).not.toContain(one.tile);
    for (const [name, allowed] of [
      ['f16', tolerances.f16],
      ['16x8', tolerances.f32],
    ] as const) {
      const trial = trialOf(one, name);
      expect(trial?.milliseconds).toBeNull();
      expect(trial?.refused).toMatch(
        new RegExp(`departs from 4x8 by [\\d.e-]+ of the root mean square, allowed is ${allowed}$`),
      );
    }
  }
});
