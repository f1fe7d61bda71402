/** @file What was measured of the units of the open model: kept for plans, given to the record, and taken back from one. */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { type EvolutionEntry, type GreedyEntry, greedyMethods, type WidthId } from '../../importance/methods';
import type { SearchProgress } from '../../importance/search/found';
import type { ModelRecord } from '../../report/record';
import type { ScoreOptions, Scores, WidthScoreOptions, WidthScores } from '../../report/scores';
import { type EvolutionResult, endedEvolution, endedSearch } from '../../report/searches';
import type { TaskOptions } from '../../task';
import type { ImportanceOptions } from '../contract/types';
import type { Calibration } from '../contract/workerSession';
import { scoresKey } from './scores';
import { noData, type Workspace } from './workspace';

/** What a record holds besides the comparison. */
type MeasuredUnits = Pick<ModelRecord, 'calibration' | 'scores' | 'widthScores' | 'searches' | 'evolution'>;

/** What was measured of the units of the open model, as its record holds it. */
export function measuredUnits(workspace: Workspace): MeasuredUnits {
  const { calibration, restoredCalibration, scores, widthScores, searches, evolution } = workspace;
  return {
    calibration: calibration?.info ?? restoredCalibration,
    scores: [...scores.values()],
    widthScores: [...widthScores.values()],
    searches,
    evolution,
  };
}

/**
 * Takes back what an earlier session measured. What this session has measured stays; and it takes nothing of another
 * calibration than its own, if it has one.
 */
export function restoreMeasuredUnits(workspace: Workspace, record: MeasuredUnits): void {
  const present = workspace.calibration?.info ?? null;
  if (present !== null && (record.calibration?.hash !== present.hash || record.calibration.seed !== present.seed))
    return;
  if (present === null) workspace.restoredCalibration = record.calibration;
  for (const each of record.scores) {
    const key = scoresKey(each.criterion, each.options ?? {});
    if (!workspace.scores.has(key)) workspace.scores.set(key, each);
  }
  for (const each of record.widthScores) {
    const key = widthKey(each.method, each.options ?? {});
    if (!workspace.widthScores.has(key)) workspace.widthScores.set(key, each);
  }
  workspace.searches = { ...record.searches, ...workspace.searches };
  workspace.evolution ??= record.evolution;
}

/** Keeps scores for plans and reports, unless another calibration has begun meanwhile: its scores start again. */
export function saveScores(workspace: Workspace, found: Scores, options: ImportanceOptions): Scores {
  const saved = { ...found, options: asked<ScoreOptions>(options) };
  if (!isOfCalibration(workspace, found)) return saved;
  workspace.scores.set(scoresKey(found.criterion, options), saved);
  const search = greedyMethods.find(({ id }) => id === found.criterion);
  if (search) workspace.searches = { ...workspace.searches, [search.id]: endedSearch(saved) };
  workspace.evolution = endedEvolution(saved) ?? workspace.evolution;
  return saved;
}

/** Keeps what a search had found when it was cancelled or failed, for the report. */
export function saveUnfinished(
  workspace: Workspace,
  record: GreedyEntry | EvolutionEntry,
  { found, evolution }: SearchProgress,
  how: { options: ImportanceOptions; calibration: Calibration; milliseconds: number; device: DeviceLabel },
): void {
  const { calibration, milliseconds, device } = how;
  if (workspace.calibration?.info.hash !== calibration.info.hash) return;
  const { plus = false, barriers, unit = 'block', ...asked } = how.options;
  const shared = { complete: false, plus, calibration: calibration.info, milliseconds, device };
  if (record.kind === 'greedy' && found) {
    const result = { steps: [...found], ...(barriers && { barriers }), ...shared };
    workspace.searches = { ...workspace.searches, [record.id]: result };
  }
  if (record.kind !== 'evolution' || !evolution) return;
  const { removed, trace } = evolution;
  const { count, generations, offspring, survivors, tokens, seed } = asked;
  const choice = withoutUndefined<EvolutionResult['asked']>({
    unit,
    count,
    generations,
    offspring,
    survivors,
    tokens,
    seed,
  });
  const ends = barriers ?? record.barriers;
  workspace.evolution = { removed, trace, asked: choice, perplexity: null, passes: null, barriers: ends, ...shared };
}

/** Keeps scores of heads and neurons for plans and reports, unless another calibration has begun meanwhile. */
export function saveWidthScores(workspace: Workspace, found: WidthScores): WidthScores {
  if (isOfCalibration(workspace, found)) {
    workspace.widthScores.set(widthKey(found.method, found.options ?? {}), found);
  }
  return found;
}

/** What distinguishes two measurements by width methods on one calibration. */
export function widthKey(method: WidthId, options: WidthScoreOptions): string {
  const { seed = null, asPublished = false, sequential = false, ratio = null, roundTo = null, heads = null } = options;
  return JSON.stringify([method, seed, asPublished, sequential, ratio, roundTo, heads]);
}

/** Whether scores were measured on the present calibration, or on no tokens at all. */
function isOfCalibration({ calibration }: Workspace, found: Pick<Scores, 'calibration'>): boolean {
  const { hash } = found.calibration;
  return calibration === null || hash === noData.info.hash || hash === calibration.info.hash;
}

/** The options of a measurement, without its signal and progress, and without what was left undefined. */
function asked<T extends object>({ signal: _signal, onProgress: _onProgress, ...options }: T & TaskOptions): T {
  return withoutUndefined<T>(options);
}

function withoutUndefined<T extends object>(options: object): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
