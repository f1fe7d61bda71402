/** @file From a request that names a width method to a plan: which scores it needs, and what they select. */
import { LabError } from '../../errors';
import { type WidthId, widthMethods } from '../../importance/methods';
import type { ModelShape } from '../../model/shape';
import { isEmptyPlan, type PruningPlan, planOfUnits } from '../../pruning/plan';
import { selectWidth, type WidthSelection } from '../../pruning/selectWidth';
import { noScores } from '../../pruning/structures';
import type { WidthScoreOptions, WidthScores } from '../../report/scores';
import type { WidthPlanRequest } from '../contract/types';

/**
 * Of the options, those that change what a method measures: the seed of 'random', the official recurrence of 'flap', and of
 * 'wanda-sp' in sequence all that decides what the earlier blocks lose.
 */
export function measuredOptions(
  method: WidthId,
  { asPublished, sequential, seed, ratio, roundTo, heads }: WidthScoreOptions,
): WidthScoreOptions {
  if (method === 'random') return seed === undefined ? {} : { seed };
  if (method === 'flap') return asPublished ? { asPublished } : {};
  if (method !== 'wanda-sp' || !sequential) return {};
  return {
    sequential,
    ...(ratio !== undefined && { ratio }),
    ...(asPublished && { asPublished }),
    ...(roundTo !== undefined && { roundTo }),
    ...(heads !== undefined && { heads }),
  };
}

/** Refuses an option that the method does not have. @throws LabError 'bad-argument' */
export function checkWidthOptions(method: WidthId, { sequential, ratio }: WidthScoreOptions): void {
  if (!sequential) return;
  if (method !== 'wanda-sp') {
    const others = widthMethods.map(({ id }) => `'${id}'`).join(', ');
    const message = `sequential: an option of 'wanda-sp', got the method '${method}' (of ${others}).`;
    throw new LabError('bad-argument', message, 'Leave sequential out.');
  }
  if (ratio !== undefined) return;
  throw new LabError(
    'bad-argument',
    'ratio: expected a ratio beside sequential, because each block is scored on what the pruned blocks before it give; got none.',
    'Give the ratio that is to be removed, or leave sequential out.',
  );
}

/** The plan of a request; `measure` gives scores, measured now or before. */
export async function planByWidth(
  model: string,
  shape: ModelShape,
  request: WidthPlanRequest,
  measure: (options: WidthScoreOptions) => Promise<Pick<WidthScores, 'heads' | 'neurons'>>,
): Promise<PruningPlan> {
  const { width: method, ratio, asPublished, roundTo, heads } = request;
  const sequential = method === 'wanda-sp' ? (request.sequential ?? true) : request.sequential;
  const options = { ...request, ...(sequential !== undefined && { sequential }) };
  checkWidthOptions(method, options);
  const how: Omit<WidthSelection, 'scores'> = { method, ratio, asPublished, roundTo, heads };
  // A ratio that cannot be reached is refused before anything is measured.
  selectWidth(shape, { ...how, scores: noScores(method, shape.layers) });
  const scores = await measure(measuredOptions(method, options));
  const { kept, rule } = selectWidth(shape, { ...how, scores });
  const plan = planOfUnits(model, [], kept);
  if (isEmptyPlan(plan)) return plan;
  return {
    ...plan,
    ...(method === 'flap' && { repair: 'flap-bias' as const }),
    rule: { ...rule, ...(method === 'wanda-sp' && { sequential: sequential === true }) },
  };
}
