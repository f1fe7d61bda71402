/**
 * @file The best variant under a budget, from the table to the benchmark, on a model small enough to try every plan of it; and the
 * budgets that are refused.
 */
import { beforeAll, expect, test } from 'vitest';
import { readModel } from '../../engine/testing/testWeights';
import type { BudgetPoint, SearchProgress } from '../../importance/search/found';
import { modelParameters } from '../../model/count';
import { modelMeanNll } from '../../numerics/model';
import { applyPlan } from '../../pruning/apply';
import { layerCacheBytes } from '../../pruning/budget/costs';
import { planOfUnits } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { Session } from './session';
import { fixtureFolder, goldenOf, inNode, sessionWith } from './testing/nodeSession';

const golden = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = golden.calibration_token_ids.slice(0, 2).map((ids) => ids.slice(0, 24));
const { shape, reference } = readModel(fixtureFolder('tiny-a'));
const fast = {
  ...{ runtime: 'ort-wasm' as const, contextTokens: 32, generations: 3, offspring: 4 },
  ...{ newTokens: 4, warmups: 1, runs: 2 },
};

let info: ModelInfo;
let session: Session;
inNode();
beforeAll(async () => {
  session = await sessionWith('tiny-a', { tokenIds });
  ({ model: info } = await session.report({}));
});

const cacheOf = (layers: typeof shape.layers) => layers.reduce((sum, layer) => sum + layerCacheBytes(layer, 32), 0);

test('blocks and attentions: the plan of the lowest loss of all that fit, predicted as it is measured', async () => {
  const units = ['block', 'attention'] as const;
  const points: BudgetPoint[] = [];
  const onProgress = ({ budget }: SearchProgress): void => {
    if (budget && budget.evaluations !== points.at(-1)?.evaluations) points.push(budget);
  };
  const { variant, predicted, measured, facts } = await session.best(
    { onProgress },
    { ...fast, cacheShare: 0.7, ratio: 0.2, units: [...units], evaluation: { tokenIds } },
  );
  // Every plan: of each block nothing, its attention or all goes.
  const layers = shape.layers.map((_, layer) => layer);
  const all = layers.reduce<('block' | 'attention' | null)[][]>(
    (plans, _) => plans.flatMap((plan) => [null, ...units].map((kind) => [...plan, kind])),
    [[]],
  );
  const fitting = all.flatMap((kinds) => {
    if (kinds.every((kind) => kind === 'block')) return [];
    const plan = planOfUnits(
      info.id,
      kinds.flatMap((kind, layer) => (kind ? [{ kind, layer }] : [])),
    );
    const cut = applyPlan(shape, plan);
    const fits =
      cacheOf(cut.layers) <= 0.7 * cacheOf(shape.layers) && modelParameters(cut) <= 0.8 * modelParameters(shape);
    return fits ? [modelMeanNll(cut, reference, tokenIds)] : [];
  });
  const found = modelMeanNll(variant.shape, reference, tokenIds);
  expect(found).toBeCloseTo(Math.min(...fitting), 5);
  expect(Math.log(measured.perplexity)).toBeCloseTo(found, 4);
  expect(measured.cacheBytes).toBe(cacheOf(variant.shape.layers));
  expect(predicted.cacheBytes).toBe(measured.cacheBytes);
  // The evaluation text is the calibration text here: the prediction is what the search measured.
  expect(predicted.perplexity / measured.perplexity).toBeCloseTo(1, 3);
  expect(facts).toMatchObject({ met: true, table: { reused: false }, search: { generations: 3 } });
  expect(facts.search.perplexity).toBeLessThanOrEqual(facts.search.greedyPerplexity);
  expect(facts.table.points[0]!.name).toBe('whole model');
  expect(points.map(({ generation }) => generation)).toEqual([0, 1, 2, 3]);
  expect(points.at(-1)!.perplexity).toBeCloseTo(facts.search.perplexity, 10);
  expect((await session.comparison({})).map((row) => [row.variant, row.latency.length])).toEqual([
    ['base', 1],
    [variant.id, 1],
  ]);
});

test('heads and neurons alone: the budget holds, every block stays, and the table is reused', async () => {
  const request = {
    ...fast,
    ratio: 0.15,
    units: ['kvGroup', 'neuron'] as ('kvGroup' | 'neuron')[],
    evaluation: { tokenIds },
  };
  const one = await session.best({}, request);
  expect(one.facts).toMatchObject({ met: true, table: { reused: true } });
  expect(one.variant.ratio).toBeGreaterThanOrEqual(0.15);
  expect(one.variant.shape.layers).toHaveLength(shape.layers.length);
  expect(one.variant.plan.keepHeads ?? one.variant.plan.keepNeurons).toBeDefined();
});

test('refused: no budget, one that no variant meets, one that the base meets; a cancelled search makes no variant', async () => {
  await expect(session.best({}, {})).rejects.toMatchObject({ code: 'bad-argument', message: /at least one budget/ });
  const tight = session.best({}, { ...fast, ratio: 0.9, units: ['attention'] });
  await expect(tight).rejects.toMatchObject({
    message: /the smallest variant that these units allow takes \d+ parameters/,
  });
  const impossible = session.best({}, { ...fast, msPerToken: 1e-6 });
  await expect(impossible).rejects.toMatchObject({ message: /takes [\d.]+ ms per token; the budget is 0.000001 ms/ });
  await expect(session.best({}, { ...fast, cacheShare: 1 })).rejects.toMatchObject({
    message: /the base meets the budget/,
  });
  const before = (await session.variants({})).length;
  const abort = new AbortController();
  const onProgress = ({ stage }: SearchProgress): void => {
    if (stage.startsWith('Search')) abort.abort();
  };
  const cancelled = session.best({ signal: abort.signal, onProgress }, { ...fast, cacheShare: 0.5 });
  await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  expect(await session.variants({})).toHaveLength(before);
});
