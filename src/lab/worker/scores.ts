/** @file From a criterion's numbers to the Scores that the lab answers and keeps. */
import type { Survey } from '../../engine/engine';
import type { Criterion, WidthId } from '../../importance/methods';
import { scoreMethods, takes } from '../../importance/methods';
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { DepthKind } from '../../model/unit';
import { baseViewId } from '../../model/view';
import type { Scores, WidthScores } from '../../report/scores';
import type { CalibrationInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import type { ImportanceOptions, SurveyOptions } from '../contract/types';
import type { Calibration, Plain } from '../contract/workerSession';
import { cpuLabel } from './cpuLabel';
import type { EngineHandle } from './gpu';
import { widthsOfCombinedPass } from './widthScores';

/** What was measured, and how. */
interface Measured {
  readonly criterion: Criterion;
  readonly unit: DepthKind;
  readonly scores: number[];
  readonly reference?: number | undefined;
  /** Consecutive blocks per score. */
  readonly span: number;
  readonly plus: boolean;
  readonly layers: number;
  readonly calibration: CalibrationInfo;
  /** performance.now() when it began. */
  readonly started: number;
  /** Null for what ran without a GPU. */
  readonly handle: EngineHandle | null;
}

export function toScores({ criterion, unit, scores, reference, span, plus, handle, ...rest }: Measured): Scores {
  const kept = plus ? protectedBlocks(rest.layers) : [];
  return {
    criterion,
    unit,
    scores,
    ...(reference === undefined ? {} : { reference }),
    order: removalOrder(scores, kept, span),
    protected: kept,
    window: span,
    calibration: rest.calibration,
    milliseconds: performance.now() - rest.started,
    peakGpuBytes: handle?.engine.memory().peakBytes ?? 0,
    device: handle?.label ?? cpuLabel,
  };
}

/** What one pass forward and backward found. */
export interface CombinedScores {
  readonly blocks: Partial<Record<Criterion, Scores>>;
  /** Empty unless they were asked for. */
  readonly width: Partial<Record<WidthId, WidthScores>>;
}

/** Scores of every criterion that one forward and one backward pass serve; their milliseconds are those of the one pass. */
export async function combinedScores(
  handle: EngineHandle,
  calibration: Calibration,
  { plus = false, window: span = 1, width = false }: Plain<SurveyOptions>,
  task: TaskOptions,
): Promise<CombinedScores> {
  const { sequences, info } = calibration;
  const { engine } = handle;
  const layers = engine.shape.layers.length;
  engine.memory().resetPeak();
  const started = performance.now();
  const found: Survey = await engine.combinedPass(sequences, { ...task, width });
  const blocks: Partial<Record<Criterion, Scores>> = {};
  for (const record of scoreMethods.filter(({ combined }) => combined)) {
    const { fromCombinedPass } = (await record.load()).default;
    if (!fromCombinedPass)
      throw new TypeError(`${record.id}: its record says combined, its file has no fromCombinedPass`);
    const how = { criterion: record.id, unit: 'block', span: takes(record, 'window') ? span : 1 } as const;
    const scores = fromCombinedPass(found, how);
    blocks[record.id] = toScores({ ...how, scores, plus, layers, calibration: info, started, handle });
  }
  return { blocks, width: width ? await widthsOfCombinedPass(found, { calibration, started, handle }) : {} };
}

/** What distinguishes two measurements on one calibration. */
export function scoresKey(criterion: Criterion, options: ImportanceOptions): string {
  const { unit = 'block', window: span = 1, plus = false, count = null, seed = null, barriers, of = null } = options;
  const { generations = null, offspring = null, survivors = null, tokens = null } = options;
  const ends = [barriers?.first ?? null, barriers?.last ?? null];
  const evolution = [generations, offspring, survivors, tokens];
  return JSON.stringify([criterion, unit, span, plus, count, seed, ends, evolution, of === baseViewId ? null : of]);
}
