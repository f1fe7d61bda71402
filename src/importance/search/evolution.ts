/**
 * @file Evolutionary search for a set of units to remove, as EvoPress does it (Sieberling et al. 2024). Pure: the
 * caller measures what a set costs.
 *
 * One parent has many offspring; each swaps one to three removed units for as many kept ones (level-switch mutation), so
 * that the number of removed units is constant. Offspring are compared on few tokens first and the survivors on more. The parent
 * stays until one is better on the last stage, whose tokens are the same in every generation: the best never gets worse.
 */
import { createRandom, mixSeed, type Random, randomInt, shuffled } from '../../numerics/random';

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
  const last = survivors.length - 1;
  /** Costs on the last stage. */
  const known = new Map<string, number>();
  let evaluations = 0;
  const costs = async (sets: readonly (readonly number[])[], stage: number, generation: number): Promise<number[]> => {
    const isKnown = (set: readonly number[]) => stage === last && known.has(keyOf(set));
    const missing = sets.filter((set) => !isKnown(set));
    const found = missing.length > 0 ? await setting.cost(missing, stage, generation) : [];
    evaluations += missing.length;
    // A model that broke is worse than any other.
    const costOf = new Map(missing.map((set, index) => [keyOf(set), usable(found[index])]));
    if (stage === last) for (const [key, cost] of costOf) known.set(key, cost);
    return sets.map((set) => costOf.get(keyOf(set)) ?? known.get(keyOf(set))!);
  };
  /** The best of the sets on the last stage, by way of the stages before it. */
  const select = async (sets: readonly (readonly number[])[], generation: number) => {
    let left = sets.map((set) => ({ set, cost: Number.POSITIVE_INFINITY }));
    for (const [stage, most] of survivors.entries()) {
      const alone = stage < last && left.length <= most; // nothing to choose from
      if (alone) continue;
      const found = await costs(
        left.map(({ set }) => set),
        stage,
        generation,
      );
      left = left
        .map(({ set }, index) => ({ set, cost: found[index]! }))
        .sort((a, b) => a.cost - b.cost)
        .slice(0, most);
    }
    return left[0]!;
  };

  let best = { set: [] as readonly number[], cost: Number.POSITIVE_INFINITY };
  for (let generation = 0; generation <= generations; generation++) {
    const random = createRandom(mixSeed(seed, generation));
    const wanted = generation === 0 ? firstGeneration * offspring : offspring;
    const make = () => (generation === 0 ? draw(random, pool, count) : mutate(random, pool, best.set));
    const sets = distinct(wanted, make, generation === 0 ? [] : [best.set]);
    if (sets.length > 0) {
      const winner = await select(sets, generation);
      if (winner.cost < best.cost || generation === 0) best = winner;
    }
    onGeneration?.({ generation, ...best, evaluations });
  }
  return { generation: generations, ...best, evaluations };
}

const keyOf = (set: readonly number[]): string => set.join(' ');
const ascending = (set: readonly number[]): number[] => [...set].sort((a, b) => a - b);
const usable = (cost: number | undefined): number =>
  cost === undefined || Number.isNaN(cost) ? Number.POSITIVE_INFINITY : cost;

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

/** Up to `wanted` sets that differ from one another and from the given ones; fewer where there are no more. */
function distinct(wanted: number, make: () => number[], not: readonly (readonly number[])[]): number[][] {
  const taken = new Set(not.map(keyOf));
  const sets: number[][] = [];
  for (let tries = 0; sets.length < wanted && tries < 20 * wanted; tries++) {
    const set = make();
    if (taken.has(keyOf(set))) continue;
    taken.add(keyOf(set));
    sets.push(set);
  }
  return sets;
}
