/** @file Given cuts of heads and neurons against PyTorch's float64 perplexities, where the shared references are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Engine } from '../engine/engine';
import { sharedTestDevice } from '../engine/testing/harness';
import { readModel } from '../engine/testing/testWeights';
import { pruned } from './cuts';
import { checkPlan, type KeptByLayer, planOfUnits } from './plan';

interface Cut {
  readonly keepHeads: KeptByLayer;
  readonly keepNeurons: KeptByLayer;
  readonly ppl: number;
}

const cutsFile = '../shared/golden/stories260K-cut.json';
describe.skipIf(!existsSync(cutsFile))('skipped when ../shared is not beside the project', () => {
  test('stories260K: the perplexity of every given cut', async () => {
    const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
    const { width } = read(cutsFile) as { width: Record<string, Cut> };
    const { eval_token_ids: sequences } = read('../shared/golden/stories260K.json') as { eval_token_ids: number[][] };
    const model = readModel('../shared/models/stories260K');
    const engine = await Engine.create(await sharedTestDevice(), model);
    for (const [id, { keepHeads, keepNeurons, ppl }] of Object.entries(width)) {
      const plan = checkPlan({ ...planOfUnits('m', [], { keepHeads, keepNeurons }) }, 'm', model.shape);
      const view = { id, ...pruned(model, plan) };
      const cut = await engine.open(view);
      const { sumNll, tokens } = await cut.score(view.shape.layers, sequences);
      await cut.close();
      expect(Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens) / ppl, id).toBeCloseTo(1, 5);
    }
    engine.dispose();
  });
});
