/** @file The plans of a compared method from the one that removes nothing on, made from scores that are measured once. */
import { takes } from '../../importance/methods';
import type { ModelShape } from '../../model/shape';
import { applyPlan } from '../../pruning/apply';
import type { Ladder } from '../../pruning/ladder';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import { planOf, planOfSteps } from '../../pruning/select';
import type { Scores } from '../../report/scores';
import type { ImportanceOptions, PlanRequest } from '../contract/types';
import type { ComparedMethod } from './comparedMethods';

/** What plans are made of. */
export interface Planner {
  readonly model: string;
  readonly shape: ModelShape;
  /** Scores by the method's criterion, measured now or before. */
  scores(options: ImportanceOptions): Promise<Scores>;
  plan(request: PlanRequest): Promise<PruningPlan>;
}

/** Rungs of a width method: steps of 0.01 % of the parameters. */
const widthRungs = 10_000;

/** The ladder of a method; measures the criterion of one that scores blocks. */
export async function ladderOf(method: ComparedMethod, planner: Planner): Promise<Ladder> {
  const { model, shape } = planner;
  const layers = shape.layers.length;
  if (method.kind === 'width') return widthLadder(method, planner);
  const { record, plus } = method;
  if (record.kind === 'score' && !takes(record, 'window')) {
    const { order } = await planner.scores({ plus, unit: 'block', window: 1 });
    return planned(planner, Math.min(order.length, layers - 1), (rung) => planOf(model, 'block', order.slice(0, rung)));
  }
  if (record.kind === 'greedy') {
    const { steps = [] } = await planner.scores({ plus });
    return planned(planner, steps.length, (rung) => planOfSteps(model, steps.slice(0, rung)));
  }
  // Each count is another measurement. Blocks are taken for alike until the plan is there.
  const alike = Array.from({ length: layers }, (_, index) => index);
  return {
    ...planned(planner, layers - 1, (rung) => planOf(model, 'block', alike.slice(0, rung))),
    planAt: async (rung) => (rung === 0 ? emptyPlan(model) : planner.plan({ criterion: record.id, count: rung, plus })),
  };
}

function planned({ shape }: Planner, last: number, planAt: (rung: number) => PruningPlan): Ladder {
  return {
    last,
    shapeAt: async (rung) => applyPlan(shape, planAt(rung)),
    planAt: async (rung) => planAt(rung),
  };
}

function widthLadder({ record, roundTo }: Extract<ComparedMethod, { kind: 'width' }>, planner: Planner): Ladder {
  const { model, shape } = planner;
  const planAt = async (rung: number, how: { sequential?: boolean } = {}): Promise<PruningPlan> =>
    rung === 0
      ? emptyPlan(model)
      : planner.plan({
          ...{ width: record.id, ratio: rung / widthRungs, ...how },
          ...(roundTo === undefined ? {} : { roundTo }),
        });
  // In sequence, Wanda-sp measures the model for each ratio; the sizes are those of the single pass.
  const quick = record.id === 'wanda-sp' ? { sequential: false } : {};
  return {
    last: widthRungs - 1,
    shapeAt: async (rung) => applyPlan(shape, await planAt(rung, quick)),
    planAt: (rung) => planAt(rung),
  };
}
