/** @file Searches as `lab` returns them: options → search → Scores. */
import { LabError } from '../../errors';
import type { CriterionEntry, EvolutionEntry, GreedyEntry } from '../../importance/methods';
import { indexOf, unitCount } from '../../importance/numbering';
import { protectedBlocks } from '../../importance/order';
import { runSearch, stepIndex, stepScores } from '../../importance/search/searches';
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

/** The unit of a criterion that scores every unit once. @throws LabError 'bad-argument' for units of two kinds */
export function unitOf({ id }: CriterionEntry, { unit = 'block' }: ImportanceOptions): DepthKind {
  if (unit !== 'half') return unit;
  const message = `unit: '${id}' scores attentions and MLPs separately, got 'half'.`;
  throw new LabError('bad-argument', message, "Use 'attention' and then 'mlp', or search with 'evopress'.");
}

/** Runs a greedy or an evolutionary search. */
export function searchScores(
  record: GreedyEntry | EvolutionEntry,
  on: SearchWorkspace,
  options: ImportanceOptions,
  task: TaskOptions,
): Promise<Scores> {
  return record.kind === 'greedy'
    ? greedyScores(record, on, options, task)
    : evolutionScores(record, on, options, task);
}

/** Starts to count time and memory; the returned function gives what every search says of itself at its end. */
function factsOf({ engine, label }: EngineHandle, calibration: Calibration) {
  engine.memory().resetPeak();
  const started = performance.now();
  return () => ({
    window: 1,
    calibration: calibration.info,
    milliseconds: performance.now() - started,
    peakGpuBytes: engine.memory().peakBytes,
    device: label,
  });
}

async function greedyScores(
  record: GreedyEntry,
  { handle, calibration, layers }: SearchWorkspace,
  options: ImportanceOptions,
  task: TaskOptions,
): Promise<Scores> {
  const { engine } = handle;
  const kept = options.plus ? protectedBlocks(layers.length) : [];
  const barriers = options.barriers ?? record.barriers;
  const facts = factsOf(handle, calibration);
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
    order: steps.map((step) => stepIndex(record, step)),
    steps,
    barriers,
    protected: kept,
    ...facts(),
  };
}

async function evolutionScores(
  record: EvolutionEntry,
  { handle, calibration, layers }: SearchWorkspace,
  options: ImportanceOptions,
  task: TaskOptions,
): Promise<Scores> {
  const { engine } = handle;
  const kept = options.plus ? protectedBlocks(layers.length) : [];
  const barriers = options.barriers ?? record.barriers;
  const facts = factsOf(handle, calibration);
  const { default: method } = await record.load();
  const evolution = await method.search({
    ...task,
    record,
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
    criterion: record.id,
    unit,
    scores,
    order: removed,
    evolution,
    barriers,
    protected: kept,
    ...facts(),
  };
}
