/** @file The runs of consecutive blocks that a plan removes, and the models between two of them. */
import { applyPlan } from '../pruning/apply';
import { pruned, type Weighted } from '../pruning/cuts';
import type { PruningPlan } from '../pruning/plan';

/** Blocks first … end − 1 of the model that is pruned. */
export interface Run {
  readonly first: number;
  readonly end: number;
}

/** The runs of removed blocks, in the order of the model. */
export function runsOf({ shape }: Weighted, plan: PruningPlan): Run[] {
  const left = new Set(applyPlan(shape, plan).layers.map(({ source }) => source));
  const runs: { first: number; end: number }[] = [];
  shape.layers.forEach(({ source }, index) => {
    if (left.has(source)) return;
    const last = runs.at(-1);
    if (last?.end === index) last.end += 1;
    else runs.push({ first: index, end: index + 1 });
  });
  return runs;
}

/** The model without the blocks of the given runs, and without all that the plan removes of blocks that it keeps. */
export function withoutRuns(before: Weighted, plan: PruningPlan, cut: readonly Run[]): Weighted {
  const removed = runsOf(before, plan).flatMap(blocksOf);
  const staysHere = (layer: number): boolean => !removed.includes(layer);
  return pruned(before, {
    ...plan,
    removeBlocks: cut.flatMap(blocksOf),
    removeAttention: plan.removeAttention.filter(staysHere),
    removeMlp: plan.removeMlp.filter(staysHere),
  });
}

/** Where a block of one model is in another one that still has it. */
export function placeIn({ shape }: Weighted, { shape: { layers } }: Weighted, block: number): number {
  return shape.layers.findIndex(({ source }) => source === layers[block]!.source);
}

const blocksOf = ({ first, end }: Run): number[] => Array.from({ length: end - first }, (_, at) => first + at);
