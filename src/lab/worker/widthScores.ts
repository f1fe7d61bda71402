/** @file From a width method's numbers to what the lab answers. */

import type { Survey } from '../../engine/engine';
import type { WidthMethod } from '../../importance/types';
import { measureWidth, widthMethods } from '../../importance/width/methods';
import type { StructureScores, WidthRecord } from '../../importance/width/width';
import type { WidthScores } from '../../report/scores';
import type { TaskOptions } from '../../task';
import type { Calibration } from '../contract/workerSession';
import { cpuLabel } from './cpuLabel';
import type { EngineHandle } from './gpu';
import type { OpenModel } from './models';

/** How it was measured. */
interface How {
  readonly calibration: Calibration;
  /** performance.now() when it began. */
  readonly started: number;
  /** Null for what ran without a GPU. */
  readonly handle: EngineHandle | null;
}

function toWidthScores({ id, headUnit }: WidthRecord, scores: StructureScores, how: How): WidthScores {
  return {
    method: id,
    ...scores,
    headUnit,
    calibration: how.calibration.info,
    milliseconds: performance.now() - how.started,
    peakGpuBytes: how.handle?.engine.memory().peakBytes ?? 0,
    device: how.handle?.label ?? cpuLabel,
  };
}

/** Scores of every head and neuron of the open model by one method. */
export async function widthScores(
  record: WidthRecord,
  { info, weights }: Pick<OpenModel, 'weights'> & { readonly info: Pick<OpenModel['info'], 'shape'> },
  handle: EngineHandle | null,
  calibration: Calibration,
  seed: number,
  task: TaskOptions,
): Promise<WidthScores> {
  handle?.engine.memory().resetPeak();
  const started = performance.now();
  const { shape } = info;
  const { sequences } = calibration;
  const scores = await measureWidth(record, {
    ...task,
    probe: handle?.engine ?? null,
    shape,
    weights,
    sequences,
    seed,
  });
  return toWidthScores(record, scores, { calibration, started, handle });
}

/** Scores by every method that a survey which looked at the width serves. */
export function widthsOfCombinedPass(
  survey: Survey,
  how: How & { handle: EngineHandle },
): Partial<Record<WidthMethod, WidthScores>> {
  const { layers } = how.handle.engine.shape;
  const served = widthMethods.flatMap((record) =>
    record.fromCombinedPass
      ? [[record.id, toWidthScores(record, record.fromCombinedPass(survey, layers), how)] as const]
      : [],
  );
  return Object.fromEntries(served);
}
