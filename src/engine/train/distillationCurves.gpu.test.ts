/** @file The golden checkpoints without a block: PyTorch's losses of distillation from the whole one, and of training on responses only. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { baseViewId } from '../../model/view';
import type { AdamW } from '../../numerics/adamw';
import { inFloat32 } from '../../weights/inFloat32';
import { Engine } from '../engine';
import type { GpuContext } from '../gpu/device';
import { longTier, sharedTestDevice } from '../testing/harness';
import { readModel } from '../testing/testWeights';

interface Curve {
  readonly steps: { loss: number; crossEntropy?: number; divergence?: number; gradientNorm: number }[];
}
interface Golden {
  readonly setting: { batch: number; learningRate: number; clip: number; optimizer: Omit<AdamW, 'learningRate'> };
  /** The block that the student lacks. */
  readonly removed: number;
  readonly distill: Curve & { readonly temperature: number; readonly weight: number };
  readonly responses: Curve & { readonly firstTargets: number[] };
}

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.dispose();
});

const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));
const names = ['tiny-a', 'tiny-biases', 'tiny-qwen3', 'tiny-gemma2'];

describe.each(longTier ? names : names.slice(0, 1))('%s', (name) => {
  const read = <T>(file: string): T => JSON.parse(readFileSync(`${fixtures}${name}/${file}`, 'utf8')) as T;
  const golden = read<Golden>('distillation.json');
  const { calibration_token_ids: rows } = read<{ calibration_token_ids: number[][] }>('golden.json');
  const { setting } = golden;

  test.each(['distill', 'responses'] as const)('%s', async (kind) => {
    const model = readModel(`${fixtures}${name}`);
    const teacher = await Engine.create(context, model);
    open.push(teacher);
    const layers = model.shape.layers.filter(({ source }) => source !== golden.removed);
    const student = await teacher.open({
      id: `${baseViewId} cut`,
      shape: { ...model.shape, layers },
      weights: inFloat32(model.shape, model.weights, 'float32'),
      writeBack: async () => undefined,
    });
    const trainer = student.trainer();
    const { temperature, weight, steps } = golden.distill;
    const expected = kind === 'distill' ? steps : golden.responses.steps;
    const count = longTier ? expected.length : 4;
    for (let step = 0; step < count; step++) {
      const chosen = Array.from({ length: setting.batch }, (_, at) => (step * setting.batch + at) % rows.length);
      const found = await trainer.step(
        chosen.map((row) => rows[row]!),
        {
          optimizer: { ...setting.optimizer, learningRate: setting.learningRate },
          clip: setting.clip,
          ...(kind === 'distill'
            ? { distill: { teacher, temperature, weight } }
            : { firstTargets: chosen.map((row) => golden.responses.firstTargets[row]!) }),
        },
      );
      const { loss, crossEntropy = loss, divergence, gradientNorm } = expected[step]!;
      expect(Math.abs(found.loss - loss), `loss of step ${step}`).toBeLessThan(1e-3);
      expect(Math.abs(found.crossEntropy - crossEntropy), `cross entropy of step ${step}`).toBeLessThan(1e-3);
      if (divergence === undefined) expect(found.divergence).toBeNull();
      else expect(Math.abs(found.divergence! - divergence), `divergence of step ${step}`).toBeLessThan(1e-3);
      expect(Math.abs(found.gradientNorm / gradientNorm - 1), `gradients of step ${step}`).toBeLessThan(0.02);
    }
  });
});
