/** @file Selection by width methods on PyTorch's scores of the golden checkpoints: what PyTorch's own selection keeps, by ratio and as published. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readModel } from '../engine/testing/testWeights';
import type { StructureScores } from '../importance/method';
import type { WidthId } from '../importance/methods';
import { columnSumsOnCpu, magnitudeSpScores } from '../importance/width/magnitudeSp';
import { modelParameters } from '../model/count';
import { applyPlan } from './apply';
import { type KeptWidth, planOfUnits } from './plan';
import { selectWidth } from './selectWidth';
import { type GoldenCuts, goldenNames, planOfCut, readCuts, type WidthCut } from './testing/goldenCuts';

const methods = ['wanda-sp', 'flap', 'llm-pruner', 'magnitude-sp'] as const;
type Method = (typeof methods)[number];

const scoreNames = { 'wanda-sp': 'wanda_sp', flap: 'flap', 'llm-pruner': 'llm_pruner' } as const;
type Scores = Record<(typeof scoreNames)[keyof typeof scoreNames], StructureScores>;
const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

async function scoresOf(name: string, { model }: GoldenCuts): Promise<Record<Method, StructureScores>> {
  const golden = readJson<Scores>(`tools/golden/fixtures/${name}/golden.json`);
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

const cutsFile = '../shared/golden/stories260K-cut.json';
describe.skipIf(!existsSync(cutsFile))('skipped when ../shared is not beside the project', () => {
  test.each(['wanda-sp', 'flap', 'llm-pruner'] as const)(
    'stories260K: a quarter of every block by the scores of %s',
    (id) => {
      const { shape } = readModel('../shared/models/stories260K');
      const scoresByName = readJson<Scores>('../shared/golden/stories260K.json');
      const { width } = readJson<{ width: Record<WidthId, KeptWidth> }>(cutsFile);
      const method = id === 'flap' ? 'wanda-sp' : id;
      const scores = scoresByName[scoreNames[id]];
      const protect = { first: 0, last: 0 };
      const { kept } = selectWidth(shape, { method, scores, ratio: 0.25, asPublished: true, protect });
      expect(kept).toEqual({ keepHeads: width[id].keepHeads, keepNeurons: width[id].keepNeurons });
    },
  );
});
