/** @file The sub-blocks of all blocks in one list, by the numbering of `importance/numbering.ts`. Pure. */

import { indexOf, unitAt } from '../../importance/numbering';
import type { SearchStep } from '../../importance/search/found';
import type { ModelShape } from '../../model/shape';
import { type SubBlock, type SubBlockKind, subBlockKinds } from '../../model/unit';
import { applyPlan, estimate } from '../../pruning/apply';
import { type KeptWidth, type PruningPlan, planOfUnits, samePlan, unitsOf } from '../../pruning/plan';
import { planOfSteps } from '../../pruning/select';
import type { Scores } from '../../report/scores';

/** One criterion's scores of the sub-blocks. The attentions may be measured before the MLPs. */
export type SubBlockScores = Partial<Record<SubBlockKind, Scores>>;

/** The indices of both sub-blocks of every given block. */
export function indicesOfBlocks(blocks: readonly number[]): number[] {
  return blocks.flatMap((layer) => subBlockKinds.map((kind) => indexOf('half', { kind, layer })));
}

/** The index of every sub-block that a plan removes; a removed block counts as its two sub-blocks. */
export function removedSubBlocks(plan: PruningPlan): Set<number> {
  return new Set(
    unitsOf(plan).flatMap((unit) => (unit.kind === 'block' ? indicesOfBlocks([unit.layer]) : [indexOf('half', unit)])),
  );
}

/** The plan that removes the sub-blocks at the given indices, and of the others what `width` does not keep; canonical. */
export function planOfSubBlocks(model: string, indices: Iterable<number>, width: KeptWidth = {}): PruningPlan {
  const units = [...indices].map((index) => unitAt('half', index));
  return planOfUnits(model, units, width);
}

/** The plan with one sub-block removed or restored; null if it would remove the last sub-block of the `layers` blocks. */
export function withSubBlockToggled(plan: PruningPlan, subBlock: SubBlock, layers: number): PruningPlan | null {
  const cut = removedSubBlocks(plan);
  const index = indexOf('half', subBlock);
  if (!cut.delete(index)) cut.add(index);
  return cut.size < 2 * layers ? planOfSubBlocks(plan.model, cut, plan) : null;
}

/** Scores of all sub-blocks in one list. `unit` is absent: it would name only one of the two kinds. */
export type JointScores = Omit<Scores, 'unit'>;

/** Attention and MLP scores of one criterion as one list over the sub-blocks; null until both are measured. */
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

/** How many of a search's first steps a plan consists of; null if it consists of other units. */
export function stepsIn(plan: PruningPlan, steps: readonly SearchStep[]): number | null {
  for (let count = 0; count <= steps.length; count += 1) {
    if (samePlan(planOfSteps(plan.model, steps.slice(0, count)), plan)) return count;
  }
  return null;
}

/** Share of the base's parameters that is kept after each step, 0…1. */
export function keptAfterSteps(shape: ModelShape, steps: readonly SearchStep[]): number[] {
  return steps.map((_, index) => {
    const plan = planOfSteps('', steps.slice(0, index + 1));
    return 1 - estimate(shape, applyPlan(shape, plan)).ratio;
  });
}
