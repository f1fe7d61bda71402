/** @file Selection by width methods on PyTorch's scores of the golden checkpoints: what PyTorch's own selection keeps, by ratio and as published. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StructureScores } from '../importance/method';
import { columnSumsOnCpu, magnitudeSpScores } from '../importance/width/magnitudeSp';
import { modelParameters } from '../model/count';
import { applyPlan } from './apply';
import { planOfUnits } from './plan';
import { selectWidth } from './selectWidth';
import { type GoldenCuts, goldenNames, planOfCut, readCuts, type WidthCut } from './testing/goldenCuts';

const methods = ['wanda-sp', 'flap', 'llm-pruner', 'magnitude-sp'] as const;
type Method = (typeof methods)[number];

async function scoresOf(name: string, { model }: GoldenCuts): Promise<Record<Method, StructureScores>> {
  const golden = JSON.parse(readFileSync(`tools/golden/fixtures/${name}/golden.json`, 'utf8')) as Record<
    'wanda_sp' | 'flap' | 'llm_pruner',
    StructureScores
  >;
  return {
    'wanda-sp': golden.wanda_sp,
    flap: golden.flap,
    'llm-pruner': golden.llm_pruner,
    'magnitude-sp': magnitudeSpScores(await columnSumsOnCpu(model), model.shape.layers),
  };
}

const isOf = (cut: WidthCut): cut is WidthCut & { method: Method } => methods.some((method) => method === cut.method);

describe.each(goldenNames)('%s', (name) => {
  const golden = readCuts(name);
  const { shape } = golden.model;
  const cuts = golden.width.filter(isOf);

  test.each(cuts)('$method at $share', async (cut) => {
    const { method, share, heads_by } = cut;
    const scores = (await scoresOf(name, golden))[method];
    const heads = heads_by === 'none' || method === 'llm-pruner' ? undefined : heads_by;
    // PyTorch's cuts protect no block.
    const how = { method, scores, heads, protect: { first: 0, last: 0 } };
    const planned = (kept: ReturnType<typeof selectWidth>['kept']) => planOfUnits('golden', [], kept);
    const expected = planOfCut(golden.model, cut);
    const ratio = 1 - cut.parameters / modelParameters(shape);
    const plan = planned(selectWidth(shape, { ...how, ratio }).kept);
    expect(plan).toEqual(expected);
    expect(modelParameters(applyPlan(shape, plan))).toBe(cut.parameters);
    // As published FLAP counts a head as 170 neurons.
    if (method !== 'flap') {
      expect(planned(selectWidth(shape, { ...how, ratio: share, asPublished: true }).kept)).toEqual(expected);
    }
  });
});
