/**
 * @file Attention and MLP of a block as units of their own. Pure. Half 2 l is the attention of block l, half 2 l + 1 its
 * MLP: the numbering of BlockPruner's scores.
 */

import type { SearchStep } from '../../importance/search/found';
import type { ModelShape } from '../../model/shape';
import { applyPlan, estimate } from '../../pruning/apply';
import { emptyPlan, normalizePlan, type PruningPlan, samePlan } from '../../pruning/plan';
import { planOfSteps } from '../../pruning/select';
import type { Scores } from '../../report/scores';

export type Part = 'attention' | 'mlp';

export interface SubBlock {
  readonly block: number;
  readonly part: Part;
}

/** What was measured of the halves by one criterion: the one may be there before the other. */
export type SubBlockScores = Partial<Record<Part, Scores>>;

export function subBlockIndex({ block, part }: SubBlock): number {
  return 2 * block + (part === 'mlp' ? 1 : 0);
}

export function subBlockAt(index: number): SubBlock {
  return { block: index >> 1, part: index % 2 === 0 ? 'attention' : 'mlp' };
}

/** Both halves of every given block. */
export function subBlocksOf(blocks: readonly number[]): number[] {
  return blocks.flatMap((block) => [2 * block, 2 * block + 1]);
}

/** Every half that a plan removes; a block that goes whole is two. */
export function removedSubBlocks(plan: PruningPlan): Set<number> {
  return new Set([
    ...subBlocksOf(plan.removeBlocks),
    ...plan.removeAttention.map((block) => subBlockIndex({ block, part: 'attention' })),
    ...plan.removeMlp.map((block) => subBlockIndex({ block, part: 'mlp' })),
  ]);
}

/** The plan that removes the given halves, in canonical form. */
export function planOfSubBlocks(model: string, subBlocks: Iterable<number>): PruningPlan {
  const list = [...subBlocks].map(subBlockAt);
  const blocksOf = (part: Part) => list.filter((subBlock) => subBlock.part === part).map(({ block }) => block);
  return normalizePlan({ ...emptyPlan(model), removeAttention: blocksOf('attention'), removeMlp: blocksOf('mlp') });
}

/** The plan with one half removed or back; null when that half is the last of the `layers` blocks' halves. */
export function withSubBlockToggled(plan: PruningPlan, subBlock: SubBlock, layers: number): PruningPlan | null {
  const cut = removedSubBlocks(plan);
  const index = subBlockIndex(subBlock);
  if (!cut.delete(index)) cut.add(index);
  return cut.size < 2 * layers ? planOfSubBlocks(plan.model, cut) : null;
}

/** Scores of all halves in one list; `unit` would name only one of the two. */
export type JointScores = Omit<Scores, 'unit'>;

/** Attention and MLP scores of one criterion as one list over the halves; null until both are there. */
export function joined({ attention, mlp }: SubBlockScores): JointScores | null {
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
  for (let count = 0; count <= steps.length; count += 1) {
    if (samePlan(planOfSteps(plan.model, steps.slice(0, count)), plan)) return count;
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
