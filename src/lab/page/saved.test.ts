import 'fake-indexeddb/auto';
import { createStore, get, set } from 'idb-keyval';
import { expect, test, vi } from 'vitest';
import { emptyPlan } from '../../pruning/plan';
import { type ModelRecord, restore } from '../../report/record';
import type { Scores } from '../../report/scores';
import { randomRecord } from '../../report/testing/randomRecord';
import { fingerprint, loadSaved, save } from './saved';
import { initialState, type LabState } from './store';

const stored = createStore('secateur-sessions', 'sessions');
const isRich = ({ scores, comparison }: ModelRecord): boolean =>
  scores.length > 0 && comparison.length > 2 && comparison[1]?.perplexity.wgsl !== undefined;
/** A record with scores, variants and a perplexity. */
const full = Array.from({ length: 100 }, (_, seed) => randomRecord(seed)).find(isRich)!;
const result = full.comparison[1]!.perplexity.wgsl!;
const plan = { ...emptyPlan(full.model.id), removeBlocks: [1] };
const blockScores: Scores = { ...full.scores[0]!, criterion: 'ppl', unit: 'block' };
const attentionScores: Scores = { ...blockScores, unit: 'attention' };

const open = (id: string, more: Partial<LabState> = {}): LabState => ({
  ...initialState,
  model: { ...full.model, id },
  ...more,
});

/** Everything that survives, in every field another value than a new session has. */
const measured: Partial<LabState> = {
  calibration: blockScores.calibration,
  scores: { ppl: blockScores },
  subBlockScores: { ppl: { attention: attentionScores } },
  searches: {
    sleb: {
      ...{ steps: [{ layer: 1, part: 'mlp', perplexity: Number.POSITIVE_INFINITY }], complete: false, plus: true },
      ...{ calibration: null, milliseconds: 4, device: blockScores.device },
    },
  },
  evolution: {
    ...{ removed: [{ layer: 1, part: 'mlp' }], trace: [{ generation: 0, kl: 0.5, evaluations: 2 }] },
    ...{ asked: { unit: 'half', count: 1 }, perplexity: null, passes: null, barriers: { first: 0, last: 1 } },
    ...{ complete: false, plus: true, calibration: null, milliseconds: 4, device: blockScores.device },
  },
  searchScores: {
    sleb: { ...blockScores, criterion: 'sleb' },
    evopress: { ...attentionScores, criterion: 'evopress' },
  },
  comparison: [...full.comparison],
  calibrationChoice: { corpus: 'c4', samples: 5, seed: 3 },
  evaluationChoice: { corpus: 'wikitext-2', addBosToEvery: true },
  unitMode: 'subBlocks',
  criterion: 'taylor',
  subBlockCriterion: 'random',
  widthMethod: 'wanda-sp',
  widthChoice: { asPublished: true, sequential: false, roundTo: 32, heads: 'within-groups', biases: true },
  widthScores: {
    flap: {
      ...{ method: 'flap', heads: [[1, -2]], neurons: [Float64Array.of(0.1, Number.NaN)], headUnit: 'head' },
      ...{ options: { asPublished: true } },
      ...{ calibration: blockScores.calibration, milliseconds: 3, peakGpuBytes: 4, device: blockScores.device },
    },
  },
  repaired: { variant: 'v2', method: 'flap-bias', before: result },
  plus: true,
  plan,
  ownWeights: 'v2',
  past: [{ plan: emptyPlan(full.model.id), ownWeights: null }],
  future: [{ plan, ownWeights: 'v1' }],
  base: { ...result, meanNll: 800, perplexity: Number.POSITIVE_INFINITY },
  live: { selection: { plan, ownWeights: 'v2' }, result },
};

test('everything that was measured, chosen and edited comes back', async () => {
  const differing = Object.entries(measured).filter(
    ([field, value]) => value !== initialState[field as keyof LabState],
  );
  expect(differing).toHaveLength(Object.keys(measured).length);
  await save(open('all', measured));
  const { record, ...loaded } = (await loadSaved(open('all')))!;
  // Nothing survives that is not listed here.
  expect(loaded).toEqual(measured);
  // The laboratory gets it back whole.
  const { calibration, searches, evolution, comparison } = measured;
  expect(record).toMatchObject({ model: { id: 'all' }, calibration, searches, evolution, comparison });
  const given = record?.scores.map(({ criterion, unit }) => `${criterion} ${unit}`);
  expect(given).toEqual(['ppl block', 'ppl attention', 'sleb block', 'evopress attention']);
});

test('what is stored is the record, as restore takes it', async () => {
  await save(open('record', measured));
  const entry = await get<{ record: unknown }>('record', stored);
  expect(restore(entry?.record).record).toMatchObject({
    version: 2,
    comparison: full.comparison,
    model: { id: 'record' },
  });
});

test('an entry of version 1 comes back under the names of today', async () => {
  const state = open('old');
  const { windows, ...text } = { ...result.text, windows: result.text.sequences };
  const { sequences: _renamed, ...oldText } = text;
  const old = { ...result, text: { ...oldText, windows } };
  const [base] = full.comparison;
  const { parent: _parent, recipe: _recipe, patchBytes: _bytes, ...row } = base!;
  const kept = {
    scores: { ppl: blockScores },
    halfScores: { ppl: { attention: attentionScores } },
    halfCriterion: 'random',
    unitMode: 'halves',
    criterion: 'magnitude',
    plus: true,
    plan,
    past: [emptyPlan('old')],
    base: old,
    live: { planKey: '[[1],[],[]]', result: old },
    comparison: [{ ...row, perplexity: { wgsl: { ...old, runtime: 'wgsl' } } }],
  };
  await set('old', { version: 1, fingerprint: fingerprint(state), kept }, stored);
  expect(await loadSaved(state)).toEqual({
    record: expect.objectContaining({ version: 2 }),
    searchScores: {},
    ...{ calibration: null, scores: { ppl: blockScores }, subBlockScores: { ppl: { attention: attentionScores } } },
    ...{ searches: {}, evolution: null, calibrationChoice: {}, evaluationChoice: {}, unitMode: 'subBlocks' },
    ...{ criterion: 'magnitude', subBlockCriterion: 'random', plus: true, plan, ownWeights: null },
    ...{ past: [{ plan: emptyPlan('old'), ownWeights: null }], future: [], base: result, live: null },
    comparison: [{ ...base, perplexity: { wgsl: { ...result, runtime: 'wgsl' } } }],
    ...{ widthMethod: 'flap', widthChoice: initialState.widthChoice, widthScores: {}, repaired: null },
  });
});

test('the first entries knew no sub-blocks and no searches', async () => {
  const state = open('first');
  const kept = { scores: { ppl: blockScores }, criterion: 'magnitude', plus: true };
  await set('first', { version: 1, fingerprint: fingerprint(state), kept }, stored);
  expect(await loadSaved(state)).toMatchObject({
    ...{ scores: { ppl: blockScores }, criterion: 'magnitude', plus: true, unitMode: 'blocks' },
    ...{ subBlockCriterion: 'ppl', subBlockScores: {}, searches: {}, evolution: null, comparison: [] },
  });
});

test('parts of an old entry that do not fit are left out, and told once', async () => {
  const state = open('broken');
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const kept = { scores: { ppl: { criterion: 'ppl' }, taylor: { ...blockScores, criterion: 'taylor' } }, plus: 'yes' };
  await set('broken', { version: 1, fingerprint: fingerprint(state), kept }, stored);
  const loaded = await loadSaved(state);
  expect(Object.keys(loaded?.scores ?? {})).toEqual(['taylor']);
  expect(loaded?.plus).toBe(false);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('leaves out: 1 × scores.')]]);
  warn.mockRestore();
});

test('an entry that is no record is refused with a reason', async () => {
  const state = open('hostile');
  await set('hostile', { version: 2, fingerprint: fingerprint(state), kept: {} }, stored);
  await expect(loadSaved(state)).rejects.toMatchObject({ code: 'bad-record' });
  await set('hostile', 'no entry', stored);
  expect(await loadSaved(state)).toBeNull();
});

test('numbers of another adapter stay away', async () => {
  await save(open('other'));
  const device = { adapter: 'b', identity: 'b', software: false, features: [], limits: {} };
  expect(await loadSaved(open('other', { device }))).toBeNull();
});
