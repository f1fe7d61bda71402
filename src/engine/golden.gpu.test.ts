/** @file The engine against PyTorch's float64 numbers of a real trained model, where they lie beside the project. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cosine } from '../numerics/cosine';
import { modelLogits } from '../numerics/model';
import './allclose';
import type { GpuContext } from './device';
import { Engine } from './engine';
import { openTestDevice } from './testing';
import { readModel, type TestModel } from './testWeights';

const file = '../shared/golden/stories260K.json';
const absent = !existsSync(file);
const why = 'skipped when ../shared is not beside the project';

interface Golden {
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  block_influence: number[];
  angular: Record<string, number[]>;
  magnitude: number[];
  logits_last_8: number[];
  calibration_token_ids: number[][];
}

describe.skipIf(absent).each([
  ['stories260K', 1e-4],
  ['stories260K-f16-sharded', 1e-3],
] as const)(`%s against PyTorch (${why})`, (folder, rtol) => {
  let context: GpuContext;
  let engine: Engine;
  let model: TestModel;
  let golden: Golden;
  beforeAll(async () => {
    context = await openTestDevice();
    model = readModel(`../shared/models/${folder}`);
    golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;
    engine = await Engine.create(context, model);
  });
  afterAll(() => {
    engine.dispose();
    context.device.destroy();
  });

  test('perplexity and logits', async () => {
    const { sumNll, tokens } = await engine.score(model.shape.layers, golden.calibration_token_ids);
    const perplexity = Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
    expect([perplexity]).toBeAllclose([golden.base_ppl], { rtol });
    const tokens16 = golden.calibration_token_ids[0]!.slice(0, 16);
    const logits = await engine.logits(model.shape.layers, tokens16, 'last');
    const { shape, reference } = model;
    expect(logits).toBeAllclose(modelLogits(shape, reference, tokens16).slice(-shape.vocab), {
      rtol: 1e-4,
      atol: 1e-4,
    });
    expect(logits.slice(0, 8)).toBeAllclose(golden.logits_last_8, { rtol, atol: 10 * rtol });
  });

  test('perplexity without each block, attention and MLP', async () => {
    const removals = (['block', 'attention', 'mlp'] as const).flatMap((part) =>
      model.shape.layers.map((_, layer) => ({ layer, part })),
    );
    const losses = await engine.removalSweep(golden.calibration_token_ids, removals);
    const expected = [...golden.ppl, ...golden.ppl_attention, ...golden.ppl_mlp];
    expect(losses.map(Math.exp)).toBeAllclose(expected, { rtol });
  });

  test('block influence, angular distance and magnitude', async () => {
    const { influence, lastTokens } = await engine.blockStatistics(golden.calibration_token_ids);
    expect(influence).toBeAllclose(golden.block_influence, { rtol });
    for (const [blocks, expected] of Object.entries(golden.angular)) {
      const n = Number(blocks);
      const distances = expected.map((_, layer) => {
        const angles = lastTokens.map((states) => Math.acos(cosine(states[layer]!, states[layer + n]!)) / Math.PI);
        return angles.reduce((a, b) => a + b, 0) / angles.length;
      });
      expect(distances).toBeAllclose(expected, { rtol });
    }
    expect(await engine.magnitudes()).toBeAllclose(golden.magnitude, { rtol });
  });
});
