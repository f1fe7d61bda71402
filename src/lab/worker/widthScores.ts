/** @file From a width method's numbers to what the lab answers. */

import type { Survey } from '../../engine/engine';
import { measureWidth } from '../../importance/measure';
import type { StructureScores } from '../../importance/method';
import type { WidthId } from '../../importance/methods';
import { type WidthEntry, widthMethods } from '../../importance/methods';
import { selectByLayer } from '../../pruning/selectWidth';
import type { WidthScoreOptions, WidthScores } from '../../report/scores';
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

function toWidthScores({ id, units: [headUnit] }: WidthEntry, scores: StructureScores, how: How): WidthScores {
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
  record: WidthEntry,
  { info, weights }: Pick<OpenModel, 'weights'> & { readonly info: Pick<OpenModel['info'], 'shape'> },
  { handle, calibration, options }: Omit<How, 'started'> & { readonly options: WidthScoreOptions },
  task: TaskOptions,
): Promise<WidthScores> {
  handle?.engine.memory().resetPeak();
  const started = performance.now();
  const { shape } = info;
  const { sequences } = calibration;
  const { seed = calibration.info.seed } = options;
  const { asPublished, sequential, ratio } = options;
  const keep =
    sequential && ratio !== undefined ? selectByLayer(shape, { ...options, ratio, method: 'wanda-sp' }) : undefined;
  const probe = handle?.engine ?? null;
  const setting = { ...task, probe, shape, weights, sequences, seed, asPublished, keep };
  const scores = await measureWidth(record, setting);
  return { ...toWidthScores(record, scores, { calibration, started, handle }), options };
}

/** Scores by every method that a combined pass with `width` serves. */
export async function widthsOfCombinedPass(
  found: Survey,
  how: How & { handle: EngineHandle },
): Promise<Partial<Record<WidthId, WidthScores>>> {
  const { layers } = how.handle.engine.shape;
  const scores: Partial<Record<WidthId, WidthScores>> = {};
  for (const record of widthMethods.filter(({ combined }) => combined)) {
    const { fromCombinedPass } = (await record.load()).default;
    if (!fromCombinedPass)
      throw new TypeError(`${record.id}: its record says combined, its file has no fromCombinedPass`);
    scores[record.id] = toWidthScores(record, fromCombinedPass(found, layers), how);
  }
  return scores;
}
