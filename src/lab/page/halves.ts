/**
 * @file Attention and MLP of a block as units of their own. Pure. Half 2 l is the attention of block l, half 2 l + 1 its
 * MLP: the numbering of BlockPruner's scores.
 */
import type { ModelShape } from '../../model/shape';
import { applyPlan, estimate } from '../../pruning/apply';
import { emptyPlan, normalizePlan, type PruningPlan, planKey } from '../../pruning/plan';
import { planOfSteps } from '../../pruning/select';
import type { SearchStep } from '../../task';
import type { Scores } from '../contract/types';

export type Part = 'attention' | 'mlp';

export interface Half {
  readonly block: number;
  readonly part: Part;
}

/** What was measured of the halves by one criterion: the one may be there before the other. */
export type HalfScores = Partial<Record<Part, Scores>>;

export function halfIndex({ block, part }: Half): number {
  return 2 * block + (part === 'mlp' ? 1 : 0);
}

export function halfAt(index: number): Half {
  return { block: index >> 1, part: index % 2 === 0 ? 'attention' : 'mlp' };
}

/** Both halves of every given block. */
export function halvesOf(blocks: readonly number[]): number[] {
  return blocks.flatMap((block) => [2 * block, 2 * block + 1]);
}

/** Every half that a plan removes; a block that goes whole is two. */
export function cutHalves(plan: PruningPlan): Set<number> {
  return new Set([
    ...halvesOf(plan.removeBlocks),
    ...plan.removeAttention.map((block) => halfIndex({ block, part: 'attention' })),
    ...plan.removeMlp.map((block) => halfIndex({ block, part: 'mlp' })),
  ]);
}

/** The plan that removes the given halves, in canonical form. */
export function planOfHalves(model: string, halves: Iterable<number>): PruningPlan {
  const list = [...halves].map(halfAt);
  const blocksOf = (part: Part) => list.filter((half) => half.part === part).map(({ block }) => block);
  return normalizePlan({ ...emptyPlan(model), removeAttention: blocksOf('attention'), removeMlp: blocksOf('mlp') });
}

/** The plan with one half removed or back; null when that half is the last of the `layers` blocks' halves. */
export function withHalfToggled(plan: PruningPlan, half: Half, layers: number): PruningPlan | null {
  const cut = cutHalves(plan);
  const index = halfIndex(half);
  if (!cut.delete(index)) cut.add(index);
  return cut.size < 2 * layers ? planOfHalves(plan.model, cut) : null;
}

/** Scores of all halves in one list; `unit` would name only one of the two. */
export type JointScores = Omit<Scores, 'unit'>;

/** Attention and MLP scores of one criterion as one list over the halves; null until both are there. */
export function joined({ attention, mlp }: HalfScores): JointScores | null {
  if (!attention || !mlp) return null;
  const { unit: _unit, ...shared } = attention;
  return {
    ...shared,
    scores: attention.scores.flatMap((score, block) => [score, mlp.scores[block] ?? Number.NaN]),
    order: [],
    protected: [],
    milliseconds: attention.milliseconds + mlp.milliseconds,
    peakGpuBytes: Math.max(attention.peakGpuBytes, mlp.peakGpuBytes),
  };
}

/** How many of a search's first steps a plan consists of; null when it is something else. */
export function stepsIn(plan: PruningPlan, steps: readonly SearchStep[]): number | null {
  const key = planKey(plan);
  for (let count = 0; count <= steps.length; count += 1) {
    if (planKey(planOfSteps(plan.model, steps.slice(0, count))) === key) return count;
  }
  return null;
}

/** Share of the whole model's parameters that is kept after each step, 0…1. */
export function keptAfterSteps(shape: ModelShape, steps: readonly SearchStep[]): number[] {
  return steps.map((_, index) => {
    const plan = planOfSteps('', steps.slice(0, index + 1));
    return 1 - estimate(shape, applyPlan(shape, plan)).ratio;
  });
}
