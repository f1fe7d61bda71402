/** @file From a request that names a criterion to a plan: which scores it needs, and what they select. */
import { LabError } from '../../errors';
import type { Criterion, SearchUnit } from '../../importance/types';
import type { ModelShape } from '../../model/shape';
import type { DepthKind } from '../../model/unit';
import type { PruningPlan } from '../../pruning/plan';
import { countForRatio, planOf, planOfSteps, selectUnits, stepsForRatio } from '../../pruning/select';
import type { Scores } from '../../report/scores';
import type { ImportanceOptions, PlanRequest } from '../contract/types';

/** A request by count or by ratio. */
export type CriterionRequest = Extract<PlanRequest, { criterion: Criterion }>;

/** The plan of a request; `measure` gives scores, measured now or before. */
export async function planByCriterion(
  model: string,
  shape: ModelShape,
  request: CriterionRequest,
  measure: (options: ImportanceOptions) => Promise<Scores>,
): Promise<PruningPlan> {
  const { criterion, plus = false, barriers } = request;
  const unit = request.unit ?? 'block';
  const wanted = (order: readonly number[]): number =>
    'count' in request ? request.count : countForRatio(shape, oneKind(criterion, unit), order, request.ratio);
  const ends = barriers ? { barriers } : {};
  const everyBlock = shape.layers.map((_, index) => index);

  switch (criterion) {
    case 'angular': {
      // A run of n blocks goes together: the distance is over as many blocks as leave.
      const count = wanted(everyBlock);
      const scores = await measure({ plus, window: request.window ?? Math.max(1, count) });
      return planOf(model, 'block', count === 0 ? [] : selectUnits(scores, count));
    }
    case 'sleb':
    case 'block-pruner': {
      if ('count' in request) {
        const { steps = [] } = request.count === 0 ? {} : await measure({ plus, count: request.count, ...ends });
        return planOfSteps(model, steps.slice(0, request.count));
      }
      const { steps = [] } = await measure({ plus, ...ends });
      return planOfSteps(model, stepsForRatio(shape, steps, request.ratio));
    }
    case 'evopress': {
      const count = wanted(everyBlock);
      const { evolution } = count === 0 ? {} : await measure({ plus, unit, count, ...ends });
      return planOfSteps(model, evolution?.removed ?? []);
    }
    default: {
      const unit = oneKind(criterion, request.unit);
      const scores = await measure({ plus, unit, window: request.window ?? 1 });
      return planOf(model, unit, selectUnits(scores, wanted(scores.order)));
    }
  }
}

/** A ratio needs units of one kind, and scores do too. */
function oneKind(criterion: Criterion, unit: SearchUnit = 'block'): DepthKind {
  if (unit !== 'half') return unit;
  throw new LabError(
    'bad-argument',
    `unit: '${criterion}' needs units of one kind here, got 'half'.`,
    "Give a count to 'evopress', or ask for 'block', 'attention' or 'mlp'.",
  );
}
