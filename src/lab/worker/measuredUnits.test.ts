import { beforeEach, expect, test } from 'vitest';
import { criterionOf, type EvolutionEntry, type GreedyEntry } from '../../importance/methods';
import { Recent } from '../../recent';
import { recordJson, restore } from '../../report/record';
import type { Scores, WidthScores } from '../../report/scores';
import { randomRecord } from '../../report/testing/randomRecord';
import type { CalibrationInfo } from '../../report/texts';
import { measuredUnits, restoreMeasuredUnits, saveScores, saveUnfinished, saveWidthScores } from './measuredUnits';
import { calibrateOn, numbersIn, type Workspace } from './workspace';

const records = Array.from({ length: 40 }, (_, seed) => randomRecord(seed));
const info: CalibrationInfo = { corpus: 'c', samples: 1, seqLen: 2, seed: 7, tokens: 2, hash: 'h' };
const calibration = { sequences: [[1, 2]], info };
const { options: _, ...anyScores } = records.flatMap(({ scores }) => scores).find(({ steps }) => steps?.length)!;
const { options: __, ...anyWidth } = records.flatMap(({ widthScores }) => widthScores)[0]!;
const { evolution: ___, ...greedyScores } = anyScores;
const scores: Scores = { ...greedyScores, criterion: 'ppl', unit: 'block', calibration: info };
const width: WidthScores = { ...anyWidth, method: 'flap', calibration: info };
const { device } = scores;

const opened = (): Workspace =>
  ({
    calibration: null,
    restoredCalibration: null,
    scores: new Recent(10),
    widthScores: new Recent(1e6, numbersIn),
    searches: {},
    evolution: null,
  }) as Partial<Workspace> as Workspace;

let workspace: Workspace;
beforeEach(() => {
  workspace = opened();
  calibrateOn(workspace, calibration);
});

/** Everything that a session can have. */
function measure(): void {
  saveScores(workspace, scores, { plus: true });
  saveScores(workspace, { ...scores, unit: 'mlp' }, { unit: 'mlp', seed: 8 });
  saveScores(workspace, { ...scores, criterion: 'sleb' }, { barriers: { first: 2, last: 1 }, plus: true });
  saveWidthScores(workspace, width);
  saveWidthScores(workspace, { ...width, method: 'random', options: { seed: 3 } });
  const how = { calibration, milliseconds: 5, device };
  const pruner = criterionOf('block-pruner') as GreedyEntry;
  saveUnfinished(workspace, pruner, { found: scores.steps!, ...progress }, { ...how, options: {} });
  const press = criterionOf('evopress') as EvolutionEntry;
  const evolution = {
    removed: [{ layer: 1, part: 'mlp' as const }],
    trace: [{ generation: 0, kl: 1, evaluations: 2 }],
  };
  saveUnfinished(workspace, press, { evolution, ...progress }, { ...how, options: { unit: 'half', count: 2 } });
}
const progress = { stage: '', done: 0, total: 0, unit: '' };

test('a new session that takes a record back has the same record, and keeps it when it calibrates on the same tokens', () => {
  measure();
  const before = measuredUnits(workspace);
  expect(before.searches.sleb).toMatchObject({ complete: true, plus: true, barriers: { first: 2, last: 1 } });
  expect(before.searches['block-pruner']).toMatchObject({ complete: false, plus: false, steps: scores.steps });
  expect(before.evolution).toMatchObject({ complete: false, asked: { unit: 'half', count: 2 }, perplexity: null });
  const written = recordJson({ ...records[0]!, ...before });
  workspace = opened();
  restoreMeasuredUnits(workspace, restore(JSON.parse(written)).record);
  expect(measuredUnits(workspace)).toEqual(before);
  calibrateOn(workspace, calibration);
  expect(measuredUnits(workspace)).toEqual(before);
});

test.each([
  ['other tokens', { hash: 'other' }],
  ['another seed, which random scores depend on', { seed: 8 }],
])('%s: what was measured before is dropped, restored or not', (_name, change) => {
  measure();
  const record = measuredUnits(workspace);
  const other = { ...calibration, info: { ...info, ...change } };
  const nothing = { calibration: other.info, scores: [], widthScores: [], searches: {}, evolution: null };
  calibrateOn(workspace, other);
  expect(measuredUnits(workspace)).toEqual(nothing);
  // A record of another calibration adds nothing to a session that has one.
  restoreMeasuredUnits(workspace, record);
  expect(measuredUnits(workspace)).toEqual(nothing);
  workspace = opened();
  restoreMeasuredUnits(workspace, record);
  calibrateOn(workspace, other);
  expect(measuredUnits(workspace)).toEqual(nothing);
});

test('what this session measured stays, and scores of tokens that it left meanwhile are not kept', () => {
  saveScores(workspace, { ...scores, milliseconds: 1 }, {});
  const record = { ...measuredUnits(workspace), scores: [{ ...scores, milliseconds: 2, options: {} }] };
  restoreMeasuredUnits(workspace, record);
  expect(measuredUnits(workspace).scores.map(({ milliseconds }) => milliseconds)).toEqual([1]);
  saveScores(workspace, { ...scores, criterion: 'taylor', calibration: { ...info, hash: 'before' } }, {});
  saveWidthScores(workspace, { ...width, calibration: { ...info, hash: 'before' } });
  expect(workspace.scores.size + workspace.widthScores.size).toBe(1);
});

test('the oldest width scores are dropped where all of them would be too many numbers', () => {
  const bounded: Workspace = { ...workspace, widthScores: new Recent(2.5 * numbersIn(width), numbersIn) };
  for (const seed of [1, 2, 3]) saveWidthScores(bounded, { ...width, options: { seed } });
  expect(measuredUnits(bounded).widthScores.map(({ options }) => options?.seed)).toEqual([2, 3]);
});
