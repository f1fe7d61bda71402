/**
 * @file Evolutionary search for a set of units to remove, as EvoPress does it (Sieberling et al. 2024). Pure: the
 * caller measures what a set costs.
 *
 * Each offspring swaps one to three removed units of its parent for as many kept ones (level-switch mutation), so that the number
 * of removed units is constant. `elitist.ts` says who survives.
 */
import { type Random, randomInt, shuffled } from '../../numerics/random';
import { distinct, evolveElite } from './elitist';

export interface EvolutionSetting {
  /** Units that a set may remove. */
  readonly pool: readonly number[];
  /** Units that a set removes. */
  readonly count: number;
  readonly generations: number;
  /** Sets that a generation tries. */
  readonly offspring: number;
  /** Sets that survive each stage of a generation; the last number is 1. */
  readonly survivors: readonly number[];
  readonly seed: number;
  /** What each set costs on the tokens of a stage: the lower the better. */
  cost(sets: readonly (readonly number[])[], stage: number, generation: number): Promise<number[]>;
  /** After each generation; 0 is the first, random one. */
  onGeneration?(best: Best): void;
}

export interface Best {
  readonly generation: number;
  /** Units, ascending. */
  readonly set: readonly number[];
  /** On the last stage's tokens. */
  readonly cost: number;
  /** Sets measured so far, over all stages. */
  readonly evaluations: number;
}

/** The first generation is random, and so much larger, as in EvoPress. */
export const firstGeneration = 2;
/** Most units that one mutation trades. */
const mostSwaps = 3;

export async function evolve(setting: EvolutionSetting): Promise<Best> {
  const { pool, count, generations, offspring, survivors, seed, onGeneration } = setting;
  const { candidate: set, ...best } = await evolveElite<readonly number[]>({
    ...{ generations, survivors, seed, keyOf },
    first: (random) => distinct(firstGeneration * offspring, () => draw(random, pool, count), keyOf),
    offspring: (random, parent) => distinct(offspring, () => mutate(random, pool, parent), keyOf, [parent]),
    cost: (sets, stage, generation) => setting.cost(sets, stage, generation),
    onGeneration: ({ candidate, ...state }) => onGeneration?.({ set: candidate, ...state }),
  });
  return { set, ...best };
}

const keyOf = (set: readonly number[]): string => set.join(' ');
const ascending = (set: readonly number[]): number[] => [...set].sort((a, b) => a - b);

function draw(random: Random, pool: readonly number[], count: number): number[] {
  return ascending(shuffled(random, pool).slice(0, count));
}

/** Trades one to three removed units for kept ones; one more often than three. */
function mutate(random: Random, pool: readonly number[], parent: readonly number[]): number[] {
  const swaps = Math.min(1 + randomInt(random, mostSwaps), 1 + randomInt(random, mostSwaps));
  const kept = shuffled(
    random,
    pool.filter((unit) => !parent.includes(unit)),
  );
  const removed = shuffled(random, parent);
  const traded = Math.min(swaps, kept.length, removed.length);
  return ascending([...removed.slice(traded), ...kept.slice(0, traded)]);
}
