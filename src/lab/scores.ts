/** @file From a criterion's numbers to the Scores that the lab answers and keeps. */
import { criteria } from '../importance/criteria';
import { protectedBlocks, removalOrder } from '../importance/order';
import type { CalibrationInfo, Criterion, DeviceLabel, Scores, Unit } from '../importance/types';
import type { TaskOptions } from '../task';
import type { EngineHandle } from './gpu';
import type { ImportanceOptions, SurveyOptions } from './types';
import type { Calibration } from './windows';

/** What was measured, and how. */
interface Measured {
  readonly criterion: Criterion;
  readonly unit: Unit;
  readonly scores: number[];
  readonly reference?: number | undefined;
  /** Consecutive blocks per score. */
  readonly window: number;
  readonly plus: boolean;
  readonly layers: number;
  readonly calibration: CalibrationInfo;
  /** performance.now() when it began. */
  readonly started: number;
  /** Null for what ran without a GPU. */
  readonly handle: EngineHandle | null;
}

const cpuLabel: DeviceLabel = { adapter: 'CPU', software: true, runtime: 'JavaScript' };

export function toScores({ criterion, unit, scores, reference, window, plus, handle, ...rest }: Measured): Scores {
  const kept = plus ? protectedBlocks(rest.layers) : [];
  return {
    criterion,
    unit,
    scores,
    ...(reference === undefined ? {} : { reference }),
    order: removalOrder(scores, kept, window),
    protected: kept,
    window,
    calibration: rest.calibration,
    milliseconds: performance.now() - rest.started,
    peakGpuBytes: handle?.engine.memory().peakBytes ?? 0,
    device: handle?.label ?? cpuLabel,
  };
}

/** Scores of every criterion that one forward and one backward pass serve; their milliseconds are those of the one pass. */
export async function surveyScores(
  handle: EngineHandle,
  { windows, info }: Calibration,
  { plus = false, window = 1 }: Omit<SurveyOptions, keyof TaskOptions>,
  task: TaskOptions,
): Promise<Partial<Record<Criterion, Scores>>> {
  const { engine } = handle;
  const layers = engine.shape.layers.length;
  engine.memory().resetPeak();
  const started = performance.now();
  const found = await engine.survey(windows, task);
  const result: Partial<Record<Criterion, Scores>> = {};
  for (const { id, fromSurvey } of criteria) {
    if (!fromSurvey) continue;
    const how = { criterion: id, unit: 'block', window: id === 'angular' ? window : 1 } as const;
    const scores = fromSurvey(found, how);
    result[id] = toScores({ ...how, scores, plus, layers, calibration: info, started, handle });
  }
  return result;
}

/** What distinguishes two measurements on one calibration. */
export function scoresKey(criterion: Criterion, options: ImportanceOptions): string {
  const { unit = 'block', window = 1, plus = false, count = null, seed = null, barriers } = options;
  const { generations = null, offspring = null, survivors = null, tokens = null } = options;
  const ends = [barriers?.first ?? null, barriers?.last ?? null];
  const evolution = [generations, offspring, survivors, tokens];
  return JSON.stringify([criterion, unit, window, plus, count, seed, ends, evolution]);
}
