import { describe, expect, test } from 'vitest';
import { baseSelection } from '../../lab/page/selection';
import { initialState, type LabState } from '../../lab/page/store';
import { testModel, without } from '../../lab/page/testing/page';
import { emptyPlan } from '../../pruning/plan';
import type { ComparisonRow } from '../../report/results';
import { syntheticComparison } from '../../report/testing/syntheticComparison';
import { askedRows, taskResult } from '../../report/testing/taskRows';
import { latencyBars, latencySeries } from '../charts/latencyData';
import { conclusions } from './conclusions';
import { slideAfter, startsPresentation } from './keys';
import { chosenBars, removedRows, slidesOf } from './slides';

const layers = Array.from({ length: 12 }, (_, source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 }));
const model = testModel('demo');
const opened: LabState = {
  ...initialState,
  model: { ...model, shape: { ...model.shape, layers } },
  ...baseSelection('demo'),
};
const rows = syntheticComparison('demo');
const [base] = rows;
const score = { criterion: 'ppl', unit: 'block', scores: [1, 2], window: 1 } as unknown as LabState['scores']['ppl'];
const written = { text: 'words', by: null };

/** What a training made of the second row's variant. */
const trained: ComparisonRow = {
  ...{ ...rows[1]!, variant: 'trained', name: 'trained', parent: rows[1]!.variant },
  recipe: [
    ...rows[1]!.recipe,
    {
      ...{ kind: 'retrain', method: 'lora', steps: 4, batch: 1, learningRate: 1e-3, seed: 1 },
      text: { corpus: 'calibration', samples: 4, seqLen: 32, seed: 1, hash: 'c0ffee' },
    },
  ],
};

/** Rows at one batch size. */
const atBatch1 = (given: readonly ComparisonRow[]): ComparisonRow[] =>
  given.map((row) => ({ ...row, latency: row.latency.slice(0, 1) }));

describe('slides without data are left out', () => {
  test.each<[string, Partial<LabState>, string[]]>([
    ['no model', { model: null }, []],
    ['nothing measured', {}, []],
    ['scores', { scores: { ppl: score } as LabState['scores'] }, ['importance']],
    ['attention scores alone', { subBlockScores: { ppl: { attention: score! } } }, []],
    ['the base alone', { comparison: [base!] }, []],
    ['depth variants at one batch size', { comparison: atBatch1(rows.slice(0, 3)) }, ['removed', 'quality', 'speed']],
    [
      'depth variants without times',
      { comparison: rows.slice(0, 3).map((row) => ({ ...row, latency: [] })) },
      ['removed', 'quality'],
    ],
    ['depth and width', { comparison: rows }, ['removed', 'quality', 'speed', 'sides', 'batches']],
    [
      'a trained variant',
      { comparison: [...rows, trained] },
      ['removed', 'quality', 'speed', 'sides', 'batches', 'retraining'],
    ],
    ['one variant that was asked', { comparison: askedRows([base!]) }, []],
    [
      'the original model and a variant that were asked the same',
      { comparison: atBatch1(askedRows(rows.slice(0, 2))).map((row) => ({ ...row, latency: [], perplexity: {} })) },
      ['removed', 'tasks'],
    ],
    [
      'two that were asked other questions',
      { comparison: [askedRows([base!])[0]!, { ...base!, variant: 'v', tasks: [taskResult('mine.jsonl', 3)] }] },
      ['quality', 'speed'],
    ],
    ['one text', { texts: { prompt: '', base: written, variant: null } }, []],
    [
      'both texts',
      { texts: { prompt: '', base: written, variant: { ...written, selection: baseSelection('demo') } } },
      ['texts'],
    ],
    [
      'an edited plan',
      { plan: without(model, 2), draft: { ratio: 0.1, parameters: 1, shape: model.shape } },
      ['removed'],
    ],
  ])('%s', (_, more, between) => {
    const all = slidesOf({ ...opened, ...more });
    expect(all).toEqual(more.model === null ? [] : ['model', ...between, 'conclusion']);
  });
});

describe('the strips of removed units', () => {
  test('show equal plans once and the edited plan first, unless it is a variant', () => {
    const draft = { ratio: 0.1, parameters: 1, shape: model.shape };
    const names = (plan: LabState['plan']) =>
      removedRows({ comparison: rows.slice(0, 4), plan, draft }).map(({ name }) => name);
    expect(names(emptyPlan('demo'))).toEqual(['Taylor+ 20 %', 'Perplexity 20 %']);
    expect(names(without(model, 9))).toEqual(['the plan being edited', 'Taylor+ 20 %', 'Perplexity 20 %']);
    expect(names(without(model, 1, 2, 5))).toEqual(['Taylor+ 20 %', 'Perplexity 20 %']);
  });

  test('have each side where there is no room for all', () => {
    const chosen = removedRows({ comparison: rows, plan: null, draft: null }, 4).map(({ name }) => name);
    expect(chosen).toEqual([
      'Taylor+ 20 %',
      'Perplexity 20 %',
      'FLAP 20 %, without biases',
      'Best under 4.6 ms per token',
    ]);
  });
});

test('the bars of a slide have the base and the fastest of each kind', () => {
  const [series] = latencySeries(rows);
  const bars = latencyBars(rows, series!.key, null);
  expect(chosenBars(bars, 4).map(({ name }) => name)).toEqual([
    'original model',
    'Block influence 20 %',
    'Wanda-sp 20 %',
    'Best under 4.6 ms per token',
  ]);
  expect(chosenBars(bars, 99)).toEqual(bars);
});

test('times of a software adapter conclude nothing', () => {
  const state = (software: boolean) => ({
    ...opened,
    comparison: syntheticComparison('demo', software),
    base: base!.perplexity.wgsl!,
  });
  expect(conclusions(state(false))[1]).toMatch(/^Latency, batch 1: Block influence 20 % is 1\.26 times as fast/);
  expect(conclusions(state(true)).join(' ')).not.toContain('times as fast');
  expect(conclusions({ ...state(true), base: null })).toEqual(conclusions(state(true)));
  expect(conclusions(opened)).toEqual(['Nothing is measured yet.']);
});

const pressed = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  ...{ key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false },
  ...more,
});

test.each([
  ['ArrowRight', 2],
  ['PageDown', 2],
  [' ', 2],
  ['ArrowLeft', 0],
  ['PageUp', 0],
  ['End', 4],
  ['Home', 0],
  ['f', null],
  ['F5', null],
  ['Escape', null],
])('%j leads from the second of five slides to %j', (key, target) => {
  expect(slideAfter(pressed(key), 1, 5)).toBe(target);
});

test('the ends stay, and keys of the browser are its own', () => {
  expect(slideAfter(pressed('ArrowRight'), 4, 5)).toBe(4);
  expect(slideAfter(pressed('ArrowLeft'), 0, 5)).toBe(0);
  expect(slideAfter(pressed('ArrowLeft', { altKey: true }), 1, 5)).toBeNull();
  expect(slideAfter(pressed(' ', { shiftKey: true }), 1, 5)).toBe(0);
  expect(startsPresentation(pressed('π', { code: 'KeyP', altKey: true }))).toBe(true);
  expect(startsPresentation(pressed('p', { code: 'KeyP' }))).toBe(false);
});
