/**
 * @file A budget as a choice per block: each way to keep a block costs something of every limit and loses something. Pure: what
 * the choices are of, the caller knows.
 */

/** One way to keep a block. */
export interface Choice {
  /** Estimated increase of the loss if only this block changes, nats per token; 0 for the whole block. */
  readonly loss: number;
  /** What the block then takes of each limit. */
  readonly costs: readonly number[];
  /** Nothing of the block stays. */
  readonly empty: boolean;
}

export interface Problem {
  /** [block][choice]; the first choice of each block keeps it whole. */
  readonly blocks: readonly (readonly Choice[])[];
  /** What all blocks together may take at most. */
  readonly limits: readonly number[];
}

/** Of each block the index of its choice. */
export type Selection = readonly number[];

/** Sums of fractions may end a hair above their limit. */
const hair = 1 + 1e-9;

export const keyOfSelection = (selection: Selection): string => selection.join(' ');
export const wholeModel = ({ blocks }: Problem): number[] => blocks.map(() => 0);

/** What a selection takes of each limit. */
export function totals({ blocks, limits }: Problem, selection: Selection): number[] {
  return limits.map((_, at) => selection.reduce((sum, choice, block) => sum + blocks[block]![choice]!.costs[at]!, 0));
}

/** Whether a selection keeps every limit and at least a part of one block. */
export function meets(problem: Problem, selection: Selection): boolean {
  const { blocks, limits } = problem;
  if (selection.every((choice, block) => blocks[block]![choice]!.empty)) return false;
  return fits(totals(problem, selection), limits);
}

export function fits(taken: readonly number[], limits: readonly number[]): boolean {
  return taken.every((total, at) => total <= limits[at]! * hair);
}

/** The estimated increase of the loss; infinite where a block's is. */
export function estimatedLoss({ blocks }: Problem, selection: Selection): number {
  return selection.reduce((sum, choice, block) => sum + blocks[block]![choice]!.loss, 0);
}

/** The least of each limit that a model can take of which something stays, each limit by itself. */
export function smallest({ blocks, limits }: Problem): number[] {
  return limits.map((_, at) => {
    const least = blocks.map((choices) => Math.min(...choices.map(({ costs }) => costs[at]!)));
    const all = least.reduce((sum, cost) => sum + cost, 0);
    // If every block may go, one has to stay: the one that then takes least.
    const extra = blocks.map((choices, block) => {
      const kept = choices.filter(({ empty }) => !empty).map(({ costs }) => costs[at]!);
      return Math.min(...kept) - least[block]!;
    });
    return all + Math.min(...extra);
  });
}
