import { expect, test } from 'vitest';
import { LabError } from '../../errors';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow, PerplexityResult, Runtime } from '../../report/results';
import type { Scores } from '../../report/scores';
import { scoredUnits, stateOfRecord } from './recordState';
import { testDevice, testModel, without } from './testing/page';

const model = testModel();

const perplexity = (runtime: Runtime, hash: string, value: number) =>
  ({ perplexity: value, runtime, text: { hash } }) as unknown as PerplexityResult;

const row = (variant: string, more: Partial<ComparisonRow>): ComparisonRow => ({
  ...{ variant, name: variant, plan: without(model), parameters: 1000, ratio: 0, layers: 4, parent: null, recipe: [] },
  ...{ patchBytes: 0, perplexity: {}, latency: [] },
  ...more,
});

const scores = (unit: Scores['unit'], criterion: Scores['criterion'] = 'ppl') =>
  ({ criterion, unit, scores: [1, 2, 3, 4], order: [0, 1, 2, 3], window: 1 }) as unknown as Scores;

const record = (more: Partial<ModelRecord>): ModelRecord =>
  ({
    ...{
      version: 2,
      created: '',
      program: '',
      model,
      device: testDevice,
      calibration: null,
      scores: [],
      widthScores: [],
    },
    ...{ searches: {}, evolution: null, comparison: [], ...more },
  }) as ModelRecord;

/** What is wrong with a record; null where nothing is. */
function faultOf(more: Partial<ModelRecord>): Pick<LabError, 'code' | 'message'> | null {
  try {
    stateOfRecord(record(more));
    return null;
  } catch (thrown) {
    if (thrown instanceof LabError) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
}

test('variants have the names of the rows and the shapes of their plans; no plan is edited', () => {
  const state = stateOfRecord(
    record({ comparison: [row('base', {}), row('v1', { name: '−1', plan: without(model, 1) })] }),
  );
  expect(state.variants.map(({ id, name, shape }) => [id, name, shape.layers.map(({ source }) => source)])).toEqual([
    ['base', 'base', [0, 1, 2, 3]],
    ['v1', '−1', [0, 2, 3]],
  ]);
  expect(state).toMatchObject({ ready: true, plan: null, draft: null, model: { id: model.id }, device: testDevice });
});

test('the base has the perplexity that the most variants can be compared with, else that of the preferred runtime', () => {
  const base = row('base', {
    perplexity: { 'ort-wasm': perplexity('ort-wasm', 'b', 5), wgsl: perplexity('wgsl', 'a', 4) },
  });
  const baseOf = (...others: ComparisonRow[]) =>
    stateOfRecord(record({ comparison: [base, ...others] })).base?.perplexity;
  expect(baseOf()).toBe(4);
  expect(baseOf(row('v1', { perplexity: { 'ort-wasm': perplexity('ort-wasm', 'b', 6) } }))).toBe(5);
  expect(stateOfRecord(record({ comparison: [row('v1', {})] })).base).toBeNull();
});

test('scores are told apart by their units, and the strip begins with units that have some', () => {
  const state = stateOfRecord(record({ scores: [scores('attention'), scores('mlp'), scores('attention', 'taylor')] }));
  expect(state.subBlockScores.ppl?.attention?.unit).toBe('attention');
  expect(state.subBlockScores.ppl?.mlp?.unit).toBe('mlp');
  expect(scoredUnits(state)).toEqual(['subBlocks']); // of Taylor, the MLPs are missing
  expect(state.unitMode).toBe('subBlocks');
  const both = stateOfRecord(record({ scores: [scores('attention'), scores('mlp'), scores('block')] }));
  expect(scoredUnits(both)).toEqual(['blocks', 'subBlocks']);
  expect(both.scores.ppl?.unit).toBe('block');
  expect(stateOfRecord(record({})).unitMode).toBe('blocks');
});

test('a shape that is none and a plan beyond the model are refused with a sentence', () => {
  const shaped = (shape: unknown) => ({
    model: testModel('hf:o/n', { shape: shape as ModelRecord['model']['shape'] }),
  });
  const [layer] = model.shape.layers;
  const bad = 'bad-report';
  expect(faultOf({})).toBeNull();
  expect(faultOf(shaped({}))).toMatchObject({
    code: bad,
    message: expect.stringMatching(/1 to 1024 blocks, got nothing/),
  });
  expect(faultOf(shaped({ ...model.shape, layers: Array(2000).fill(layer) }))?.message).toMatch(/got 2000 blocks/);
  expect(faultOf(shaped({ ...model.shape, layers: [layer, { ...layer, kvHeads: 0 }] }))?.message).toMatch(/^Block 1/);
  expect(faultOf(shaped({ ...model.shape, layers: [null] }))?.code).toBe(bad);
  expect(faultOf(shaped({ ...model.shape, hidden: 'x' }))?.message).toMatch(/'x'|"x"/);
  expect(faultOf({ comparison: [row('v1', { plan: without(model, 4) })] })?.message).toMatch(
    /of the 4 blocks, got block 4/,
  );
});
