/** @file Meanings of the repairs that need no training, and which of them fit a plan. Pure. */
import { type PruningPlan, removesWidth } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { Step } from '../../pruning/variant';

export const repairMeanings: Readonly<Record<RepairMethod, string>> = {
  'flap-bias': 'Biases replace the mean output of the removed heads and neurons.',
  'prune-and-comp': 'A factor gives the hidden state the size that it had after the removed blocks.',
  'replace-me': 'A matrix in the block before the removed ones replaces them, fitted by least squares.',
};

/** The repairs that a plan can have: some replace removed blocks, one replaces removed heads and neurons. */
export function repairsOf(plan: PruningPlan): RepairMethod[] {
  return [
    ...(plan.removeBlocks.length > 0 ? (['prune-and-comp', 'replace-me'] as const) : []),
    ...(removesWidth(plan) ? (['flap-bias'] as const) : []),
  ];
}

/** The last repair of a recipe; null where there is none. */
export function repairOf(recipe: readonly Step[]): RepairMethod | null {
  const step = recipe.findLast(({ kind }) => kind === 'repair');
  return step?.kind === 'repair' ? step.method : null;
}
