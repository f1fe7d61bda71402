/**
 * @file Full training and LoRA against PyTorch on the golden checkpoints: losses and gradient norms step by step, and the gradient of
 * every trained tensor in the first step. The numbers: tools/golden/training.py.
 */

import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LayerRole, type ModelShape, modelRoles, type ProjectionRole, projectionRoles } from '../model/shape';
import '../engine/testing/allclose';
import { Engine } from '../engine/engine';
import type { GpuContext } from '../engine/gpu/device';
import { longTier, sharedTestDevice } from '../engine/testing/harness';
import { readModel } from '../engine/testing/testWeights';
import type { Factor } from '../engine/train/loraSetting';
import type { Trainer } from '../engine/train/trainer';
import type { WeightSource } from '../model/weights';
import { type AdamW, clipFactor } from '../numerics/adamw';
import { inFloat32 } from '../weights/inFloat32';
import { WrittenWeights } from '../weights/written';
import { rowOrder } from './order';
import { type RateSetting, rateAt } from './schedule';

interface Curve {
  learningRate: number;
  losses: number[];
  gradientNorms: number[];
  gradients: Record<string, { norm: number; first: number[] }>;
}
interface Training {
  setting: Omit<RateSetting, 'learningRate'> & {
    batch: number;
    clip: number;
    optimizer: Omit<AdamW, 'learningRate'>;
  };
  full: Curve;
  lora: Curve & { rank: number; alpha: number; dropout: number };
}

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
let close = (): void => undefined;
afterEach(() => close());

const fixtures = 'tools/golden/fixtures';
const json = (path: string): unknown => JSON.parse(readFileSync(`${fixtures}/${path}`, 'utf8'));

/** The names of the projections in training.json, in the order of the roles. */
const projectionNames = [
  ...['q', 'k', 'v', 'o'].map((one) => `self_attn.${one}_proj`),
  ...['gate', 'up', 'down'].map((one) => `mlp.${one}_proj`),
];

/** training.py's formula. */
function factorOf({ layer, role, kind, dims }: Factor): Float32Array<ArrayBuffer> {
  const [rows, columns] = dims;
  const number = 2 * (7 * layer + projectionRoles.indexOf(role)) + (kind === 'A' ? 0 : 1);
  const amplitude = kind === 'A' ? 1 / Math.sqrt(columns) : 0.05;
  return Float32Array.from({ length: rows * columns }, (_, k) => amplitude * Math.sin(1 + 0.7311 * k + 13 * number));
}

/** What a tensor of a training is called in training.json. */
function nameOf(key: string, weights: WeightSource, shape: ModelShape): string {
  const [layer, role, kind] = key.split(' ');
  if (kind !== undefined) return `${layer} ${projectionNames[projectionRoles.indexOf(role as ProjectionRole)]} ${kind}`;
  const outside = modelRoles(shape).find((one) => one === key);
  if (outside !== undefined) return weights.modelTensor(outside).name;
  return weights.layerTensor(role as LayerRole, shape.layers[Number(layer)]!.source).name;
}

/** The gradients of the first step, before clipping, from AdamW's first moments. */
async function firstGradients(trainer: Trainer, scale: number): Promise<Map<string, Float64Array>> {
  const gradients = new Map<string, Float64Array>();
  await trainer.save(async ({ key, kind, count, first, values }) => {
    if (kind !== 'first') return;
    const gradient = gradients.get(key) ?? new Float64Array(count);
    gradient.set(
      values.map((value) => value / scale),
      first,
    );
    gradients.set(key, gradient);
  });
  return gradients;
}

const models = ['tiny-a', 'tiny-biases', 'tiny-qwen3'];
describe.each(models)('%s', (name) => {
  const model = readModel(`${fixtures}/${name}`);
  const { calibration_token_ids: rows } = json(`${name}/golden.json`) as { calibration_token_ids: number[][] };
  const { setting, full, lora } = json(`${name}/training.json`) as Training;

  async function follow(trainer: Trainer, { learningRate, losses, gradientNorms, gradients }: Curve): Promise<void> {
    const { batch, clip, optimizer, steps } = setting;
    const next = rowOrder(rows.length, batch, null);
    for (let step = 0; step < (longTier ? steps : 4); step++) {
      const chosen = next(step).map((row) => rows[row]!);
      const rated = { ...optimizer, learningRate: rateAt(step, { ...setting, learningRate }) };
      const { loss, gradientNorm } = await trainer.step(chosen, { optimizer: rated, clip });
      expect(Math.abs(loss - losses[step]!), `loss of step ${step + 1}`).toBeLessThan(1e-3);
      expect(gradientNorm / gradientNorms[step]!, `norm of step ${step + 1}`).toBeCloseTo(1, 2);
      if (step > 0) continue;
      const scale = (1 - optimizer.beta1) * clipFactor(gradientNorms[0]!, clip);
      const found = await firstGradients(trainer, scale);
      expect([...found.keys()].map((key) => nameOf(key, model.weights, model.shape)).sort()).toEqual(
        Object.keys(gradients).sort(),
      );
      for (const [key, values] of found) {
        const expected = gradients[nameOf(key, model.weights, model.shape)]!;
        expect(Math.hypot(...values) / expected.norm, key).toBeCloseTo(1, 4);
        const near = { rtol: 1e-4, atol: (1e-4 * expected.norm) / Math.sqrt(values.length) };
        expect(values.subarray(0, expected.first.length), key).toBeAllclose(expected.first, near);
      }
    }
  }

  test('full training', async () => {
    const written = new WrittenWeights(inFloat32(model.shape, model.weights, 'mine'), 'mine written');
    const engine = await Engine.create(context, {
      shape: model.shape,
      weights: written,
      writeBack: (source, pieces) => written.writeBack(source, pieces),
    });
    const trainer = engine.trainer();
    close = () => {
      trainer.close();
      engine.dispose();
    };
    await follow(trainer, full);
  });

  test('LoRA', async () => {
    const engine = await Engine.create(context, model);
    const { rank, alpha, dropout } = lora;
    const trainer = engine.loraTrainer({ rank, alpha, dropout, initial: factorOf });
    close = () => {
      trainer.close();
      engine.dispose();
    };
    await follow(trainer, lora);
  });
});
