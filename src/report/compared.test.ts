import { expect, test } from 'vitest';
import { emptyPlan, type PruningPlan } from '../pruning/plan';
import { compareReports } from './compared';
import type { ModelRecord } from './record';
import type { ComparisonRow, PerplexityResult, Runtime } from './results';
import type { Scores } from './scores';

const perplexity = (value: number, hash = 't', runtime: Runtime = 'wgsl'): PerplexityResult =>
  ({
    ...{ perplexity: value, tokens: 100, runtime },
    text: { corpus: 'evaluation', sequences: 8, seqLen: 128, hash },
  }) as PerplexityResult;
const row = (variant: string, measured: PerplexityResult[], more: Partial<ComparisonRow> = {}): ComparisonRow =>
  ({
    ...{ variant, name: variant, plan: emptyPlan('m'), ratio: variant === 'base' ? 0 : 0.25, recipe: [], latency: [] },
    perplexity: Object.fromEntries(measured.map((result) => [result.runtime, result])),
    ...more,
  }) as unknown as ComparisonRow;
const scores = (values: number[], hash = 'h', criterion = 'taylor'): Scores =>
  ({ criterion, unit: 'block', window: 1, scores: values, calibration: { hash } }) as unknown as Scores;
const report = (comparison: ComparisonRow[], more: Partial<ModelRecord> = {}, id = 'm', revision = '1'): ModelRecord =>
  ({ model: { id, revision }, scores: [], comparison, ...more }) as unknown as ModelRecord;

test('perplexities are relative to each report’s own base, by one runtime on one text', () => {
  const a = report([row('base', [perplexity(2)]), row('v1', [perplexity(3)])]);
  const b = report([
    row('base', [perplexity(4), perplexity(5, 't', 'ort-wasm')]),
    row('v1', [perplexity(10, 't', 'ort-wasm')]),
    row('v2', [perplexity(9, 'other')]),
    row('v3', [perplexity(Number.POSITIVE_INFINITY)]),
  ]);
  const { groups } = compareReports([a, b]);
  expect(groups).toHaveLength(1);
  expect(groups[0]!.variants.map(({ report: of, relative, kept }) => [of, relative, kept])).toEqual([
    ...[
      [0, 1.5, 0.75],
      [1, 2, 0.75],
      [1, null, 0.75],
      [1, null, 0.75],
    ],
  ]);
});

test('another model, another revision and other tokens stand apart with the reason; the largest group comes first', () => {
  const of = (hash: string, id = 'm', revision = '1') => report([row('base', [perplexity(2, hash)])], {}, id, revision);
  const { groups } = compareReports([of('x'), of('t'), of('t'), of('t', 'm', '2'), of('t', 'n')]);
  expect(groups.map(({ reports }) => reports)).toEqual([[1, 2], [0], [3], [4]]);
  expect(groups.map(({ why }) => why)).toEqual([
    null,
    expect.stringMatching(/other tokens.*hash x.*hash t/),
    expect.stringMatching(/revision/),
    expect.stringMatching(/Another model/),
  ]);
});

test('of several texts a report takes the one that most have; without a perplexity it joins its model with its times', () => {
  const two = report([row('base', [perplexity(2, 'own'), perplexity(3, 't', 'ort-wasm')])]);
  const common = report([row('base', [perplexity(2)])]);
  const speedUp = { ratio: 1.4, low: 1.3, high: 1.5, against: 'base' };
  const plan: PruningPlan = { ...emptyPlan('m'), keepNeurons: [[0]] };
  const timed = row('v1', [], { plan, latency: [{ batch: 1, runtime: 'ort-wasm', speedUp }] as never });
  const { groups } = compareReports([two, common, report([row('base', []), timed])]);
  expect(groups).toHaveLength(1);
  expect(groups[0]!.bases.get(0)!.perplexity).toBe(3);
  expect(groups[0]!.variants[0]).toMatchObject({ relative: null, side: 'width', times: [{ speedUp }] });
});

test('scores of one criterion are ranked against each other by pairs of reports, other tokens apart', () => {
  const of = (values: number[], hash?: string) => report([], { scores: [scores(values, hash)] });
  const { scores: found } = compareReports([of([1, 2, 3, 4]), of([1, 2, 4, 3]), of([4, 3, 2, 1], 'other')]);
  expect(found).toEqual([
    {
      ...{ name: 'Taylor, blocks', model: { id: 'm', revision: '1' }, reports: [0, 1, 2] },
      sameTokens: { pairs: 1, least: expect.closeTo(0.8, 9), median: expect.closeTo(0.8, 9) },
      otherTokens: { pairs: 2, least: expect.closeTo(-1, 9), median: expect.closeTo(-0.9, 9) },
    },
  ]);
  const weights = (values: number[], hash: string) => report([], { scores: [scores(values, hash, 'magnitude')] });
  expect(compareReports([weights([1, 2], 'a'), weights([1, 2], 'b')]).scores[0]).toMatchObject({ otherTokens: null });
});
