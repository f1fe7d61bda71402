/** @file Searches as the lab answers them: from its options to the search's, and from what was found to Scores. */
import { LabError } from '../../errors';
import { indexOf, unitCount } from '../../importance/numbering';
import { protectedBlocks } from '../../importance/order';
import { evopress, searchByEvolution } from '../../importance/search/evopress';
import { runSearch, type SearchRecord, stepScores } from '../../importance/search/searches';
import type { Criterion } from '../../importance/types';
import type { LayerShape } from '../../model/shape';
import { type DepthKind, unitOfJson } from '../../model/unit';
import type { Scores } from '../../report/scores';
import type { TaskOptions } from '../../task';
import type { ImportanceOptions } from '../contract/types';
import type { Calibration } from '../contract/workerSession';
import type { EngineHandle } from './gpu';

/** What a search of the lab runs on. */
export interface SearchWorkspace {
  readonly handle: EngineHandle;
  readonly calibration: Calibration;
  readonly layers: readonly LayerShape[];
}

/** Options that only searches know, and those of them that only the evolutionary one knows. */
const ofSearches = ['barriers'] as const;
const ofEvolution = ['generations', 'offspring', 'survivors', 'tokens'] as const;

/** The unit of a criterion that scores every unit once. @throws LabError 'bad-argument' for a search's options */
export function unitOf(criterion: Criterion, options: ImportanceOptions): DepthKind {
  refuse(criterion, options, [...ofSearches, ...ofEvolution], 'Leave it out, or search.');
  const { unit = 'block' } = options;
  if (unit !== 'half') return unit;
  const message = `unit: '${criterion}' scores attentions and MLPs apart, got 'half'.`;
  throw new LabError('bad-argument', message, "Ask for 'attention' and for 'mlp', or search with 'evopress'.");
}

function refuse(
  criterion: Criterion,
  options: ImportanceOptions,
  names: readonly (keyof ImportanceOptions)[],
  remedy: string,
): void {
  const foreign = names.find((name) => options[name] !== undefined);
  if (foreign === undefined) return;
  throw new LabError('bad-argument', `${foreign}: '${criterion}' has no such option.`, remedy);
}

export async function greedyScores(
  record: SearchRecord,
  { handle, calibration, layers }: SearchWorkspace,
  options: ImportanceOptions,
  task: TaskOptions,
): Promise<Scores> {
  refuse(record.id, options, ofEvolution, "They are options of 'evopress'.");
  const { engine, label } = handle;
  engine.memory().resetPeak();
  const kept = options.plus ? protectedBlocks(layers.length) : [];
  const started = performance.now();
  const barriers = options.barriers ?? record.barriers;
  const steps = await runSearch(record, {
    ...task,
    probe: engine,
    layers,
    sequences: calibration.sequences,
    protectedBlocks: kept,
    count: options.count,
    barriers,
  });
  return {
    criterion: record.id,
    unit: 'block',
    scores: stepScores(record, layers.length, steps),
    order: steps.map((step) => record.unitOf(step)),
    steps,
    barriers,
    protected: kept,
    window: 1,
    calibration: calibration.info,
    milliseconds: performance.now() - started,
    peakGpuBytes: engine.memory().peakBytes,
    device: label,
  };
}

export async function evolutionScores(
  { handle, calibration, layers }: SearchWorkspace,
  options: ImportanceOptions,
  task: TaskOptions,
): Promise<Scores> {
  const { engine, label } = handle;
  engine.memory().resetPeak();
  const kept = options.plus ? protectedBlocks(layers.length) : [];
  const started = performance.now();
  const barriers = options.barriers ?? evopress.barriers;
  const evolution = await searchByEvolution({
    ...task,
    probe: engine,
    layers,
    sequences: calibration.sequences,
    protectedBlocks: kept,
    barriers,
    request: options,
    seed: calibration.info.seed,
  });
  const { unit } = evolution.choice;
  const removed = evolution.removed.map((one) => indexOf(unit, unitOfJson(one)));
  const scores = new Array<number>(unitCount(layers.length, unit)).fill(1);
  for (const index of removed) scores[index] = 0;
  return {
    criterion: evopress.id,
    unit,
    scores,
    order: removed,
    evolution,
    barriers,
    protected: kept,
    window: 1,
    calibration: calibration.info,
    milliseconds: performance.now() - started,
    peakGpuBytes: engine.memory().peakBytes,
    device: label,
  };
}
