import { expect, test } from 'vitest';
import type { SearchId } from '../../importance/methods';
import type { SearchStep } from '../../importance/search/found';
import { layerParameters, modelParameters } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import { emptyPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { evolutionPath, searchPaths } from './searchData';

const layer = (source: number) => ({ source, heads: 2, kvHeads: 1, headDim: 2, ffn: 3 });
const shape = { vocab: 5, hidden: 4, tiedHead: true, layers: [layer(0), layer(1), layer(2)] } as unknown as ModelShape;
const model = { id: 'm', shape } as ModelInfo;
const step = (at: number, part: SearchStep['part'], perplexity: number): SearchStep => ({
  layer: at,
  part,
  perplexity,
});

const stepsOf =
  (found: Partial<Record<SearchId, SearchStep[]>>) =>
  (search: SearchId): readonly SearchStep[] =>
    found[search] ?? [];

test('a path counts the parameters that are left, and marks the edited plan', () => {
  const plan = { ...emptyPlan('m'), removeBlocks: [1] };
  const paths = searchPaths(model, plan, stepsOf({ sleb: [step(1, 'block', 3), step(0, 'block', 4)] }));
  expect(paths.map(({ id }) => id)).toEqual(['sleb']);
  const share = layerParameters(shape, layer(0)) / modelParameters(shape);
  expect(paths[0]!.points.map(({ kept }) => kept / 100)).toEqual([
    expect.closeTo(1 - share, 12),
    expect.closeTo(1 - 2 * share, 12),
  ]);
  expect(paths[0]!.points.map(({ short, now }) => [short, now])).toEqual([
    ['1', true],
    ['0', false],
  ]);
});

test('an infinite perplexity is no point; the steps around it keep their numbers', () => {
  const steps = [step(1, 'mlp', 3), step(2, 'mlp', Number.POSITIVE_INFINITY), step(0, 'attention', 5)];
  const [path] = searchPaths(model, emptyPlan('m'), stepsOf({ 'block-pruner': steps }));
  expect(path!.points.map(({ step: number, short }) => [number, short])).toEqual([
    [1, '1m'],
    [3, '0a'],
  ]);
});

test('a path starts at the whole model where that is known', () => {
  const found = stepsOf({ sleb: [step(1, 'block', 3)] });
  const [path] = searchPaths(model, emptyPlan('m'), found, 2.5);
  expect(path!.points[0]).toMatchObject({ step: 0, kept: 100, perplexity: 2.5, now: true });
});

test('an evolution that ended is one point, at the size of its set; one that was stopped is none', () => {
  const device = { adapter: 'a', software: true, runtime: 'r' };
  const result = {
    removed: [step(0, 'block', 0), step(2, 'block', 0)].map(({ layer: at, part }) => ({ layer: at, part })),
    trace: [{ generation: 0, kl: 1, evaluations: 3 }],
    asked: { unit: 'block' as const, count: 2 },
    perplexity: 4.5,
    passes: null,
    complete: true,
    plus: false,
    barriers: { first: 0, last: 0 },
    calibration: null,
    milliseconds: 1,
    device,
  };
  const plan = { ...emptyPlan('m'), removeBlocks: [0, 2] };
  const [path] = evolutionPath(model, plan, result);
  const share = layerParameters(shape, layer(0)) / modelParameters(shape);
  expect(path!.points).toMatchObject([{ short: '0·2', perplexity: 4.5, now: true, step: 2 }]);
  expect(path!.points[0]!.kept / 100).toBeCloseTo(1 - 2 * share, 12);
  expect(evolutionPath(model, plan, { ...result, perplexity: null })).toEqual([]);
  expect(evolutionPath(model, plan, null)).toEqual([]);
});
