/** @file From a request that names a criterion to a plan: which scores it needs, and what they select. */
import { LabError } from '../../errors';
import { type Criterion, criterionOf, takes } from '../../importance/methods';
import type { SearchUnit } from '../../importance/types';
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
  const record = criterionOf(criterion);
  const unit = request.unit ?? 'block';
  const wanted = (order: readonly number[]): number =>
    'count' in request ? request.count : countForRatio(shape, oneKind(criterion, unit), order, request.ratio);
  const ends = barriers ? { barriers } : {};
  const everyBlock = shape.layers.map((_, index) => index);

  switch (record.kind) {
    case 'greedy': {
      if ('count' in request) {
        const { steps = [] } = request.count === 0 ? {} : await measure({ plus, count: request.count, ...ends });
        return planOfSteps(model, steps.slice(0, request.count));
      }
      const { steps = [] } = await measure({ plus, ...ends });
      return planOfSteps(model, stepsForRatio(shape, steps, request.ratio));
    }
    case 'evolution': {
      const count = wanted(everyBlock);
      const { evolution } = count === 0 ? {} : await measure({ plus, unit, count, ...ends });
      return planOfSteps(model, evolution?.removed ?? []);
    }
    case 'score': {
      if (takes(record, 'window')) {
        // A span of n blocks is removed as a whole: the score is over as many blocks as the plan removes.
        const count = wanted(everyBlock);
        const scores = await measure({ plus, window: request.window ?? Math.max(1, count) });
        return planOf(model, 'block', count === 0 ? [] : selectUnits(scores, count));
      }
      const kind = oneKind(criterion, unit);
      const scores = await measure({ plus, unit: kind, window: request.window ?? 1 });
      return planOf(model, kind, selectUnits(scores, wanted(scores.order)));
    }
    default:
      return record satisfies never;
  }
}

/** The unit, if it is one kind. Scores and ratios need that. @throws LabError 'bad-argument' */
function oneKind(criterion: Criterion, unit: SearchUnit): DepthKind {
  if (unit !== 'half') return unit;
  throw new LabError(
    'bad-argument',
    `unit: '${criterion}' needs units of one kind here, got 'half'.`,
    "Give a count to 'evopress', or ask for 'block', 'attention' or 'mlp'.",
  );
}
