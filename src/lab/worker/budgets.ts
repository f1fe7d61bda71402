/** @file The plan of a method that meets a budget: a share of the parameters, bytes, or a measured time per token. */
import { LabError } from '../../errors';
import { formatBytes } from '../../io/storage';
import { modelParameters } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import { bytesPerElement, type StoredDtype } from '../../model/weights';
import { applyPlan } from '../../pruning/apply';
import { windowedCacheBytes } from '../../pruning/budget/costs';
import { type Ladder, lowestMeasured, lowestRung } from '../../pruning/ladder';
import { isEmptyPlan, type PruningPlan } from '../../pruning/plan';
import { type ComparedMethod, labelOf, requestOf } from './comparedMethods';
import { ladderOf, type Planner } from './ladders';

/** What a plan has to meet, with what the original model has. */
export type Goal =
  | { readonly kind: 'ratio'; readonly ratio: number }
  | { readonly kind: 'bytes'; readonly limit: number; bytesOf(shape: ModelShape): number }
  | {
      readonly kind: 'msPerToken';
      readonly limit: number;
      readonly original: number;
      /** Time of a plan's model per decoded token, ms; measured once for models of equal sizes. */
      measure(plan: PruningPlan): Promise<number>;
    };

/** Weights in the type that they are stored in, and the key/value cache of one sequence as `lab.best` counts it: float32. */
export function weightAndCacheBytes(dtype: StoredDtype, contextTokens: number) {
  return (shape: ModelShape): number =>
    bytesPerElement[dtype] * modelParameters(shape) + windowedCacheBytes(shape, contextTokens);
}

/** @throws LabError 'bad-argument' where no plan of the method meets the goal, or only the one that removes nothing */
export async function planForGoal(method: ComparedMethod, goal: Goal, planner: Planner): Promise<PruningPlan> {
  const plan = await found(method, goal, planner);
  if (!isEmptyPlan(plan)) return plan;
  throw new LabError(
    'bad-argument',
    `budget: ${labelOf(method)} comes closest to it without removing anything.`,
    'Ask for a larger ratio.',
  );
}

async function found(method: ComparedMethod, goal: Goal, planner: Planner): Promise<PruningPlan> {
  switch (goal.kind) {
    case 'ratio':
      return planner.plan(requestOf(method, goal.ratio));
    case 'bytes':
      return planForBytes(method, goal, await ladderOf(method, planner), planner.shape);
    case 'msPerToken': {
      const ladder = await ladderOf(method, planner);
      const plans = new Map<number, PruningPlan>();
      const measure = async (rung: number): Promise<number> => {
        const plan = await ladder.planAt(rung);
        plans.set(rung, plan);
        return goal.measure(plan);
      };
      const { met, closest } = await lowestMeasured(ladder, { ...goal, measure });
      if (met) return plans.get(met.rung)!;
      throw notMet(
        method,
        `${goal.limit} ms per token`,
        `the fastest variant measured takes ${closest.value.toFixed(3)} ms`,
      );
    }
    default:
      return goal satisfies never;
  }
}

/** How many rungs a plan may take more than the shapes say, where these are estimates. */
const mostExtra = 3;

async function planForBytes(
  method: ComparedMethod,
  { limit, bytesOf }: Extract<Goal, { kind: 'bytes' }>,
  ladder: Ladder,
  shape: ModelShape,
): Promise<PruningPlan> {
  const first = await lowestRung(ladder, (each) => bytesOf(each) <= limit);
  for (let rung = first ?? ladder.last + 1; rung <= ladder.last && rung <= first! + mostExtra; rung++) {
    const plan = await ladder.planAt(rung);
    if (bytesOf(applyPlan(shape, plan)) <= limit) return plan;
  }
  throw notMet(method, formatBytes(limit), `the original model takes ${formatBytes(bytesOf(shape))}`);
}

function notMet(method: ComparedMethod, limit: string, fact: string): LabError {
  const message = `budget: expected at most ${limit}, which no plan by ${labelOf(method)} meets; ${fact}.`;
  return new LabError('bad-argument', message, 'Allow more, or use another method.');
}
