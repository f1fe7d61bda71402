/** @file One part of a report, measured here with the report's options and compared. */
import { methods } from '../../../importance/methods';
import { missing, type Part } from '../../../report/reproduction/parts';
import { answersValue, unaskable } from '../../../report/reproduction/tasks';
import { differenceOfTokens, perplexityRequest } from '../../../report/reproduction/tokens';
import {
  evolutionValue,
  latencyValues,
  perplexityValue,
  type ReproducedValue,
  scoresValue,
  searchValue,
  widthValue,
} from '../../../report/reproduction/values';
import type { LatencyResult, TaskResult } from '../../../report/results';
import type { CalibrationInfo } from '../../../report/texts';
import type { TaskOptions } from '../../../task';
import type { Lab } from '../../contract/types';
import type { Calibrations } from './calibrations';
import type { MadeVariants } from './variants';

/** What of the laboratory runs a report again. */
export type ReproducingLab = Pick<
  Lab,
  | 'load'
  | 'report'
  | 'device'
  | 'calibrate'
  | 'importance'
  | 'widthImportance'
  | 'variant'
  | 'retrain'
  | 'discard'
  | 'perplexity'
  | 'evaluate'
  | 'latency'
  | 'comparison'
>;

export interface Here {
  /** Either device computes products in f16. */
  readonly half: boolean;
  readonly calibrations: Calibrations;
  readonly variants: MadeVariants;
  readonly task: TaskOptions;
}

type PartOf<Kind extends Part['kind']> = Extract<Part, { readonly kind: Kind }>;

/** The values of a part with the numbers measured here. Rejects where it cannot be measured. */
export async function measured(lab: ReproducingLab, part: Part, here: Here): Promise<ReproducedValue[]> {
  switch (part.kind) {
    case 'scores':
      return scores(lab, part, here);
    case 'width':
      return width(lab, part, here);
    case 'variants':
      await here.variants.make(part.row, here.task);
      return [];
    case 'perplexities':
      return perplexity(lab, part, here);
    case 'tasks':
      return answers(lab, part, here);
    case 'searches':
      return search(lab, part, here);
    case 'latencies':
      return latency(lab, part, here);
  }
}

async function scores(lab: ReproducingLab, { scores: reported }: PartOf<'scores'>, here: Here) {
  const { calibrations, variants, task, half } = here;
  if (readsTokens(reported.criterion)) await calibrations.of(reported.calibration, task);
  const { options = {}, unit, window: span, protected: kept, criterion } = reported;
  // Earlier versions kept no options, and a link may leave them out: what they were shows in the scores.
  const shown = {
    ...(unit !== 'block' && { unit }),
    ...(span > 1 && { window: span }),
    ...(kept.length > 0 && { plus: true }),
  };
  const seed = seedOf(reported.criterion, reported.calibration);
  const of = options.of === undefined ? {} : { of: variants.idOf(options.of) };
  const found = await lab.importance(criterion, { ...shown, ...seed, ...options, ...of, ...task });
  return [scoresValue(reported, found, half)];
}

/** Whether a method reads the calibration's tokens: what reads weights alone is measured whatever became of the text. */
function readsTokens(method: string): boolean {
  return methods.some(({ id, needs }) => id === method && needs === 'gpu');
}

/** The seed of a shuffle: that of the calibration, of which nothing else counts. */
const seedOf = (method: string, { seed }: CalibrationInfo): { seed?: number } => (method === 'random' ? { seed } : {});

async function width(lab: ReproducingLab, { scores: reported }: PartOf<'width'>, { calibrations, task, half }: Here) {
  const { method, calibration, options } = reported;
  if (readsTokens(method)) await calibrations.of(calibration, task);
  const found = await lab.widthImportance(method, { ...seedOf(method, calibration), ...options, ...task });
  return [widthValue(reported, found, half)];
}

async function perplexity(lab: ReproducingLab, part: PartOf<'perplexities'>, here: Here): Promise<ReproducedValue[]> {
  const { row, result } = part;
  const id = here.variants.idOf(row.variant);
  const { runtime, text } = result;
  const found = perplexityRequest(result, here.calibrations.given);
  if ('why' in found) return missing(part, found.why);
  const precision = result.precision === 'f16' ? ('f16' as const) : ('exact' as const);
  const hub = here.calibrations.hub;
  const request = { ...found.request, ...(hub && { hub }), runtime, precision, ...here.task };
  const now = await lab.perplexity(id, request);
  const difference = differenceOfTokens(text, now.text, { reported: text.sequences, here: now.text.sequences });
  if (difference !== null) return missing(part, difference);
  if (now.tokens !== result.tokens) {
    return missing(
      part,
      `The report counts ${result.tokens} predicted tokens of the same text, here are ${now.tokens}.`,
    );
  }
  return [perplexityValue(row, result, now, here.half)];
}

async function answers(lab: ReproducingLab, part: PartOf<'tasks'>, here: Here): Promise<ReproducedValue[]> {
  const { row, result } = part;
  const why = unaskable(result);
  if (why !== null) return missing(part, why);
  const id = here.variants.idOf(row.variant);
  const now: TaskResult = await lab.evaluate(id, { task: result.task, limit: result.items, ...here.task });
  return [answersValue(row, result, now, here.half)];
}

async function search(lab: ReproducingLab, part: PartOf<'searches'>, { calibrations, task, half }: Here) {
  if ('greedy' in part) {
    const { criterion, options } = part.greedy;
    await calibrations.of(calibrations.known(part.greedy.hash), task);
    const found = await lab.importance(criterion, { ...options, ...task });
    return [searchValue(part.greedy, { criterion, steps: found.steps ?? [], device: found.device }, half)];
  }
  const { evolution } = part;
  await calibrations.of(evolution.calibration, task);
  const { asked, barriers, plus } = evolution;
  const found = await lab.importance('evopress', { ...asked, barriers, ...(plus && { plus }), ...task });
  const { removed, perplexity: reached } = found.evolution!;
  return [evolutionValue(evolution, { removed, perplexity: reached, device: found.device }, half)];
}

async function latency(
  lab: ReproducingLab,
  { row, results }: PartOf<'latencies'>,
  here: Here,
): Promise<ReproducedValue[]> {
  const id = here.variants.idOf(row.variant);
  const [first] = results;
  if (!first) return [];
  const { runtime, promptTokens, newTokens, runs, warmups, precision, speedUp } = first;
  const against = speedUp && here.variants.idOf(speedUp.against);
  const found = await lab.latency(id, {
    ...{ runtime, promptTokens, newTokens, runs, warmups, precision: precision === 'f16' ? 'f16' : 'exact' },
    batchSizes: results.map(({ batch }) => batch),
    ...(against !== undefined && { against }),
    ...here.task,
  });
  const of = ({ batch }: LatencyResult): LatencyResult | null => found.find((each) => each.batch === batch) ?? null;
  return results.flatMap((reported) => latencyValues(row, reported, of(reported)));
}
