import 'fake-indexeddb/auto';
import { createStore, set } from 'idb-keyval';
import { expect, test } from 'vitest';
import type { ModelInfo } from '../../report/facts';
import type { Scores } from '../../report/scores';
import { fingerprint, loadSaved, save } from './saved';
import { initialState, type LabState } from './store';

const open = (id: string, more: Partial<LabState> = {}): LabState => ({
  ...initialState,
  model: { id, revision: 'r', parameters: 5 } as ModelInfo,
  ...more,
});
const scores = { criterion: 'ppl', scores: [1, 2] } as unknown as Scores;
const device = { adapter: 'a', software: true, runtime: 'r' };

test('scores of halves, searches and the chosen units come back', async () => {
  const step = { layer: 1, part: 'mlp' as const, perplexity: 3 };
  const search = { steps: [step], complete: false, plus: true, calibration: null, milliseconds: 4, device };
  const point = { generation: 0, kl: 0.5, evaluations: 2 };
  const how = { complete: false, plus: true, calibration: null, milliseconds: 4, device };
  const evolution = {
    removed: [{ layer: 1, part: 'mlp' as const }],
    trace: [point],
    asked: { unit: 'half' as const, count: 1 },
    perplexity: null,
    passes: null,
    barriers: { first: 0, last: 1 },
    ...how,
  };
  const state = open('kept', {
    evolution,
    unitMode: 'subBlocks',
    subBlockCriterion: 'random',
    subBlockScores: { ppl: { attention: scores } },
    searches: { 'block-pruner': search },
  });
  await save(state);
  expect(await loadSaved(open('kept'))).toMatchObject({
    evolution,
    unitMode: 'subBlocks',
    subBlockCriterion: 'random',
    subBlockScores: { ppl: { attention: scores } },
    searches: { 'block-pruner': search },
  });
});

test('an entry of before there were halves comes back, with nothing measured of them', async () => {
  const state = open('old');
  const kept = { scores: { ppl: scores }, criterion: 'magnitude', plus: true };
  await set('old', { version: 2, fingerprint: fingerprint(state), kept }, createStore('secateur-sessions', 'sessions'));
  expect(await loadSaved(state)).toMatchObject({
    scores: { ppl: scores },
    criterion: 'magnitude',
    plus: true,
    unitMode: 'blocks',
    subBlockCriterion: 'ppl',
    subBlockScores: {},
    searches: {},
    evolution: null,
  });
});

test('numbers of another adapter stay away', async () => {
  await save(open('other'));
  const elsewhere = open('other', {
    device: { adapter: 'b', identity: 'b', software: false, features: [], limits: {} },
  });
  expect(await loadSaved(elsewhere)).toBeNull();
});

test('the texts that numbers were measured on come back with them', async () => {
  const calibrationChoice = { corpus: 'c4', samples: 5 };
  const evaluationChoice = { corpus: 'wikitext-2', addBosToEvery: true };
  const state = open('texts', { calibrationChoice, evaluationChoice });
  await save(state);
  expect(await loadSaved(state)).toMatchObject({ calibrationChoice, evaluationChoice });
});
