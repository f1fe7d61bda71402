/**
 * @file Evolution of a selection under a budget, from greedy selections on: the caller measures what a selection really loses.
 *
 * Offspring give one to three blocks another choice at random; the other blocks then follow greedily, by estimates with seeded noise,
 * so that each offspring uses the budget up. Every selection that is measured meets the budget.
 */
import { distinct, type Elite, evolveElite } from '../../importance/search/elitist';
import { type Random, randomGaussian, randomInt, shuffled } from '../../numerics/random';
import { greedySelection } from './greedy';
import { keyOfSelection, type Problem, type Selection } from './problem';

export interface BudgetEvolution {
  readonly problem: Problem;
  /** Selections to begin with, the greedy ones: the result is at least as good as the best of them. */
  readonly starts: readonly Selection[];
  readonly generations: number;
  /** Selections that a generation tries. */
  readonly offspring: number;
  readonly seed: number;
  /** The real loss of each selection: the lower the better. */
  cost(selections: readonly Selection[], generation: number): Promise<number[]>;
  onGeneration?(best: Elite<Selection>): void;
}

/** Most blocks that one mutation changes by itself. */
const mostChanges = 3;
/** Deviation of the noise on the logarithm of a block's estimated loss. */
const noise = 0.5;

/** The best selection that was found. @throws RangeError without a start */
export function evolveSelection(setting: BudgetEvolution): Promise<Elite<Selection>> {
  const { problem, starts, offspring, generations, seed, cost, onGeneration } = setting;
  const begun = distinctOf(starts);
  const more = (make: () => Selection | null, not: readonly Selection[]) =>
    distinct(offspring, make, keyOfSelection, not);
  return evolveElite<Selection>({
    ...{ generations, survivors: [1], seed, keyOf: keyOfSelection },
    first: (random) => [...begun, ...more(() => followed(problem, random, null), begun)],
    offspring: (random, parent) => more(() => followed(problem, random, parent), [parent]),
    cost: (selections, _stage, generation) => cost(selections, generation),
    onGeneration: (best) => onGeneration?.(best),
  });
}

function distinctOf(selections: readonly Selection[]): Selection[] {
  return [...new Map(selections.map((selection) => [keyOfSelection(selection), selection])).values()];
}

/** A greedy selection by noisy estimates: from the whole model, or from a parent of which some blocks changed. */
function followed(problem: Problem, random: Random, parent: Selection | null): Selection | null {
  const { blocks } = problem;
  const factors = blocks.map(() => Math.exp(noise * randomGaussian(random)));
  const loss = (block: number, choice: number) => factors[block]! * blocks[block]![choice]!.loss;
  if (parent === null) return greedySelection(problem, { loss });
  const from = [...parent];
  const changes = Math.min(1 + randomInt(random, mostChanges), 1 + randomInt(random, mostChanges));
  const open = [...blocks.keys()].filter((block) => blocks[block]!.length > 1);
  const frozen = new Set(shuffled(random, open).slice(0, changes));
  for (const block of frozen) {
    const others = [...blocks[block]!.keys()].filter((choice) => choice !== from[block]);
    from[block] = others[randomInt(random, others.length)]!;
  }
  return greedySelection(problem, { from, frozen, loss });
}
