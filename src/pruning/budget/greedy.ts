/** @file Greedy choice under a budget: again and again the step that loses least for what it saves. */
import { fits, meets, type Problem, type Selection, totals, wholeModel } from './problem';

export interface GreedyOptions {
  /** Where to begin; the whole model unless given. */
  readonly from?: Selection | undefined;
  /** Blocks whose choice does not change. */
  readonly frozen?: ReadonlySet<number> | undefined;
  /** Choices that may be taken; all unless given. */
  readonly allowed?: ((block: number, choice: number) => boolean) | undefined;
  /** What a choice is thought to lose; its own estimate unless given. */
  readonly loss?: ((block: number, choice: number) => number) | undefined;
}

/** From one loss to another; 0 between two that are both infinite. */
const increase = (from: number, to: number): number => (from === to ? 0 : to - from);

/**
 * A selection within the limits: the step with the least estimated loss per saved unit is taken until the limits hold, then what
 * still fits comes back. Null where no step leads there.
 */
export function greedySelection(problem: Problem, options: GreedyOptions = {}): number[] | null {
  const small = shrink(problem, options) ?? (options.frozen ? null : shrinkAround(problem, options));
  return small && grow(problem, small, options);
}

/** For budgets so tight that the block which was left last is too much: the best with one given block, whichever that is. */
function shrinkAround(problem: Problem, options: GreedyOptions): number[] | null {
  const { allowed = () => true } = options;
  const loss = lossOf(problem, options);
  const total = (selection: Selection) => selection.reduce((sum, choice, block) => sum + loss(block, choice), 0);
  const found = problem.blocks.flatMap((choices, kept) => {
    const stays = (block: number, choice: number) => block !== kept || !choices[choice]!.empty;
    const small = shrink(problem, { ...options, allowed: (...step) => allowed(...step) && stays(...step) });
    return small === null ? [] : [small];
  });
  return found.length === 0 ? null : found.reduce((best, each) => (total(each) < total(best) ? each : best));
}

function lossOf({ blocks }: Problem, { loss }: GreedyOptions) {
  return loss ?? ((block: number, choice: number) => blocks[block]![choice]!.loss);
}

/**
 * Takes steps until the limits hold. A step gives one block another choice that takes no more of any limit; it is worth what it saves
 * of the limits that are exceeded, each as a share of what the whole model takes, and no more than the excess.
 */
function shrink(problem: Problem, options: GreedyOptions): number[] | null {
  const { blocks, limits } = problem;
  const { frozen, allowed = () => true } = options;
  const loss = lossOf(problem, options);
  const scale = totals(problem, wholeModel(problem)).map((total) => Math.max(total, Number.MIN_VALUE));
  const selection = [...(options.from ?? wholeModel(problem))];
  while (!meets(problem, selection)) {
    const taken = totals(problem, selection);
    const excess = taken.map((total, at) => Math.max(0, total - limits[at]!));
    const alive = selection.filter((choice, block) => !blocks[block]![choice]!.empty).length;
    let best: { block: number; choice: number; price: number } | null = null;
    for (const [block, choices] of blocks.entries()) {
      if (frozen?.has(block)) continue;
      const now = choices[selection[block]!]!;
      for (const [choice, { costs, empty }] of choices.entries()) {
        if (choice === selection[block] || !allowed(block, choice)) continue;
        if (empty && alive === 1) continue; // something has to stay
        if (costs.some((cost, at) => cost > now.costs[at]!)) continue;
        const gain = costs.reduce(
          (sum, cost, at) => sum + Math.min(now.costs[at]! - cost, excess[at]!) / scale[at]!,
          0,
        );
        if (!(gain > 0)) continue;
        const price = increase(loss(block, selection[block]!), loss(block, choice)) / gain;
        if (best === null || price < best.price) best = { block, choice, price };
      }
    }
    if (best === null) return null;
    selection[best.block] = best.choice;
  }
  return selection;
}

/** Takes the change of one block that wins most and still fits, until none does. */
function grow(problem: Problem, from: readonly number[], options: GreedyOptions): number[] {
  const { blocks, limits } = problem;
  const { frozen, allowed = () => true } = options;
  const loss = lossOf(problem, options);
  const selection = [...from];
  for (;;) {
    const taken = totals(problem, selection);
    const alive = selection.filter((choice, block) => !blocks[block]![choice]!.empty).length;
    let best: { block: number; choice: number; won: number } | null = null;
    for (const [block, choices] of blocks.entries()) {
      if (frozen?.has(block)) continue;
      const now = choices[selection[block]!]!;
      for (const [choice, { costs, empty }] of choices.entries()) {
        if (choice === selection[block] || !allowed(block, choice)) continue;
        const won = -increase(loss(block, selection[block]!), loss(block, choice));
        if (!(won > (best?.won ?? 0)) || (empty && !now.empty && alive === 1)) continue;
        const then = taken.map((total, at) => total - now.costs[at]! + costs[at]!);
        if (fits(then, limits)) best = { block, choice, won };
      }
    }
    if (best === null) return selection;
    selection[best.block] = best.choice;
  }
}
