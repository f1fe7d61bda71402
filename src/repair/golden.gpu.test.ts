/** @file Repairs of given cuts against PyTorch's float64 perplexities, where the shared references are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../engine/engine';
import { longTier, sharedTestDevice } from '../engine/testing/harness';
import { readModel, type TestModel } from '../engine/testing/testWeights';
import type { Weighted } from '../pruning/cuts';
import { checkPlan, emptyPlan, type KeptByLayer, type PruningPlan, planOfUnits } from '../pruning/plan';
import type { RepairMethod } from '../pruning/repairMethods';
import { rescalingsOf } from '../pruning/variant';
import { advance, draftOf } from './advance';
import { openOn } from './testing/openOn';

interface Width {
  readonly keepHeads: KeptByLayer;
  readonly keepNeurons: KeptByLayer;
  readonly ppl: number;
  readonly ppl_with_flap_bias?: number;
}
type Depth = Readonly<Record<'without' | 'alpha' | 'prune_and_comp' | 'replace_me', number>>;

const cutsFile = '../shared/golden/stories260K-cut.json';
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
describe.skipIf(!existsSync(cutsFile))('skipped when ../shared is not beside the project', () => {
  let model: TestModel;
  let engine: Engine;
  let ids: { calibration_token_ids: number[][]; eval_token_ids: number[][] };
  let golden: { width: Record<string, Width>; repair: Record<string, Depth> };
  beforeAll(async () => {
    model = readModel('../shared/models/stories260K');
    engine = await Engine.create(await sharedTestDevice(), model);
    ids = read('../shared/golden/stories260K.json') as typeof ids;
    golden = read(cutsFile) as typeof golden;
  });
  afterAll(() => engine.dispose());

  async function perplexity(of: Weighted): Promise<number> {
    const view = await engine.open({ id: 'measured', ...of });
    const { sumNll, tokens } = await view.score(of.shape.layers, ids.eval_token_ids);
    await view.close();
    return Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
  }

  async function repaired(plan: PruningPlan, method: RepairMethod) {
    const text = { corpus: 'golden', samples: 10, seqLen: 128, seed: 1, hash: '' };
    const repair = { method, text, sequences: ids.calibration_token_ids, open: openOn(engine) };
    const base = { plan: emptyPlan('m'), recipe: [], model, own: [] };
    return draftOf(model, await advance(model, base, plan, { repair }), {});
  }

  test("FLAP's biases", async () => {
    for (const [id, { keepHeads, keepNeurons, ppl, ppl_with_flap_bias: expected }] of Object.entries(golden.width)) {
      if (expected === undefined || !(longTier || id === 'flap')) continue;
      const plan = checkPlan(planOfUnits('m', [], { keepHeads, keepNeurons }), 'm', model.shape);
      const found = await perplexity((await repaired(plan, 'flap-bias')).model);
      expect(found / expected, id).toBeCloseTo(1, 5);
      expect(found).toBeLessThan(ppl);
    }
  });

  test('Prune&Comp and ReplaceMe', async () => {
    for (const [block, expected] of Object.entries(golden.repair)) {
      if (!longTier && block !== '3') continue;
      const plan = planOfUnits('m', [{ kind: 'block', layer: Number(block) }]);
      const scaled = await repaired(plan, 'prune-and-comp');
      const [factor, ...more] = rescalingsOf(scaled.recipe);
      expect(more).toEqual([]);
      expect(factor!.before).toBe(Number(block));
      expect(factor!.factor / expected.alpha).toBeCloseTo(1, 5);
      const found = await perplexity(scaled.model);
      expect(found / expected.prune_and_comp, `block ${block} prune-and-comp`).toBeCloseTo(1, 5);
      expect(found).toBeLessThan(expected.without);
      const replaced = await perplexity((await repaired(plan, 'replace-me')).model);
      expect(replaced / expected.replace_me, `block ${block} replace-me`).toBeCloseTo(1, 5);
      expect(replaced).toBeLessThan(expected.without);
    }
  });
});
