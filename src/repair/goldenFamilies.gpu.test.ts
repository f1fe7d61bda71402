/** @file Repairs of golden checkpoints of every family without their middle block or without heads and neurons: PyTorch's numbers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../engine/testing/allclose';
import { Engine } from '../engine/engine';
import { longTier, sharedTestDevice } from '../engine/testing/harness';
import type { Weighted } from '../pruning/cuts';
import { emptyPlan, type PruningPlan, planOfUnits } from '../pruning/plan';
import type { RepairMethod } from '../pruning/repairMethods';
import { type CutNumbers, goldenNames, planOfCut, readCuts } from '../pruning/testing/goldenCuts';
import { rescalingsOf } from '../pruning/variant';
import { advance, draftOf } from './advance';
import { openOn } from './testing/openOn';

/** BF16, and norms after sub-blocks. The others in the long tier: each compiles shaders. */
const some = ['tiny-c', 'tiny-gemma2'];

describe.each(longTier ? goldenNames : some)('%s', (name) => {
  const golden = readCuts(name);
  const { model, sequences } = golden;
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create(await sharedTestDevice(), model);
  });
  afterAll(() => {
    engine.dispose();
  });

  async function repaired(plan: PruningPlan, method: RepairMethod) {
    const text = { corpus: 'golden', samples: sequences.length, seqLen: 64, seed: 1, hash: '' };
    const repair = { method, text, sequences, open: openOn(engine) };
    const base = { plan: emptyPlan('golden'), recipe: [], model, own: [] };
    return draftOf(model, await advance(model, base, plan, { repair }), {});
  }

  async function expectNumbers(of: Weighted, expected: CutNumbers, tolerance: number, label: string): Promise<void> {
    const view = await engine.open({ id: 'measured', ...of });
    const { layers } = of.shape;
    const { sumNll, tokens } = await view.score(layers, sequences);
    const meanNll = sumNll.reduce((a, b) => a + b, 0) / tokens;
    expect.soft(Math.abs(meanNll / expected.mean_nll - 1), `${label}: loss ${meanNll}`).toBeLessThan(tolerance);
    for (const [at, [sequence, position]] of golden.logitsAt.entries()) {
      const logits = await view.logits(layers, sequences[sequence]!.slice(0, position + 1), 'last');
      const size = Math.max(...logits.map(Math.abs));
      const row = expected.logits[at]!;
      expect.soft(logits.slice(0, row.length), label).toBeAllclose(row, { rtol: 0, atol: tolerance * size });
    }
    await view.close();
  }

  const { removed, without, prune_and_comp: scaled, replace_me: replaced } = golden.depth;
  const plan = planOfUnits('golden', [{ kind: 'block', layer: removed }]);

  test('Prune&Comp', async () => {
    if (!scaled) {
      await expect(repaired(plan, 'prune-and-comp')).rejects.toMatchObject({ code: 'not-available' });
      return;
    }
    const draft = await repaired(plan, 'prune-and-comp');
    const [factor] = rescalingsOf(draft.recipe);
    expect(factor!.before).toBe(removed);
    expect(factor!.factor / scaled.alpha).toBeCloseTo(1, 5);
    await expectNumbers(draft.model, scaled.stored, 2e-5, 'Prune&Comp');
    expect(Math.abs(scaled.mean_nll - without.mean_nll)).toBeGreaterThan(5e-5);
  });

  test('ReplaceMe', async () => {
    if (!replaced) {
      await expect(repaired(plan, 'replace-me')).rejects.toMatchObject({ code: 'not-available' });
      return;
    }
    // A value near the middle between two stored ones may be rounded to the other one.
    const exact = model.weights.layerTensor('downProj', removed - 1).dtype === 'F32';
    const { model: mended } = await repaired(plan, 'replace-me');
    await expectNumbers(mended, replaced.stored, exact ? 2e-5 : 5e-4, 'ReplaceMe');
    expect(replaced.mean_nll).toBeLessThan(without.mean_nll - 0.01);
  });

  test("FLAP's biases", async () => {
    const cut = golden.width.find(({ method, share }) => method === 'flap' && share === 0.35)!;
    const draft = await repaired(planOfCut(model, cut), 'flap-bias');
    await expectNumbers(draft.model, cut.flap_bias, 1e-5, 'biases');
    expect(Math.abs(cut.flap_bias.mean_nll - cut.mean_nll)).toBeGreaterThan(1e-3);
  });
});
