/**
 * @file The evolution that EvoPress runs (Sieberling et al. 2024), whatever evolves. Pure: the caller measures what a candidate costs.
 *
 * One parent has many offspring. Offspring are compared on few tokens first and the survivors on more. The parent stays until one
 * is better on the last stage, whose tokens are the same in every generation: the best never gets worse.
 */
import { createRandom, mixSeed, type Random } from '../../numerics/random';

export interface ElitistSetting<T> {
  readonly generations: number;
  /** Candidates that survive each stage of a generation; the last number is 1. */
  readonly survivors: readonly number[];
  readonly seed: number;
  /** Equal for candidates that are the same. */
  keyOf(candidate: T): string;
  /** The candidates of generation 0, at least one. */
  first(random: Random): readonly T[];
  /** The candidates of a later generation. */
  offspring(random: Random, parent: T): readonly T[];
  /** What each candidate costs on the tokens of a stage: the lower the better. */
  cost(candidates: readonly T[], stage: number, generation: number): Promise<number[]>;
  /** After each generation. */
  onGeneration?(best: Elite<T>): void;
}

export interface Elite<T> {
  readonly generation: number;
  readonly candidate: T;
  /** On the last stage's tokens. */
  readonly cost: number;
  /** Candidates measured so far, over all stages. */
  readonly evaluations: number;
}

export async function evolveElite<T>(setting: ElitistSetting<T>): Promise<Elite<T>> {
  const { generations, survivors, seed, keyOf, onGeneration } = setting;
  const last = survivors.length - 1;
  /** Costs on the last stage. */
  const known = new Map<string, number>();
  let evaluations = 0;
  const costs = async (candidates: readonly T[], stage: number, generation: number): Promise<number[]> => {
    const isKnown = (candidate: T) => stage === last && known.has(keyOf(candidate));
    const missing = candidates.filter((candidate) => !isKnown(candidate));
    const found = missing.length > 0 ? await setting.cost(missing, stage, generation) : [];
    evaluations += missing.length;
    // A model that broke is worse than any other.
    const costOf = new Map(missing.map((candidate, index) => [keyOf(candidate), usable(found[index])]));
    if (stage === last) for (const [key, cost] of costOf) known.set(key, cost);
    return candidates.map((candidate) => costOf.get(keyOf(candidate)) ?? known.get(keyOf(candidate))!);
  };
  /** The best of the candidates on the last stage, by way of the stages before it. */
  const select = async (candidates: readonly T[], generation: number) => {
    let left = candidates.map((candidate) => ({ candidate, cost: Number.POSITIVE_INFINITY }));
    for (const [stage, most] of survivors.entries()) {
      const alone = stage < last && left.length <= most; // nothing to choose from
      if (alone) continue;
      const found = await costs(
        left.map(({ candidate }) => candidate),
        stage,
        generation,
      );
      left = left
        .map(({ candidate }, index) => ({ candidate, cost: found[index]! }))
        .sort((a, b) => a.cost - b.cost)
        .slice(0, most);
    }
    return left[0]!;
  };

  let best: { readonly candidate: T; readonly cost: number } | null = null;
  for (let generation = 0; generation <= generations; generation++) {
    const random = createRandom(mixSeed(seed, generation));
    const candidates = best === null ? setting.first(random) : setting.offspring(random, best.candidate);
    if (candidates.length > 0) {
      const winner = await select(candidates, generation);
      if (best === null || winner.cost < best.cost) best = winner;
    }
    if (best === null) throw new RangeError('evolveElite: expected at least one candidate in generation 0');
    onGeneration?.({ generation, ...best, evaluations });
  }
  return { generation: generations, ...best!, evaluations };
}

const usable = (cost: number | undefined): number =>
  cost === undefined || Number.isNaN(cost) ? Number.POSITIVE_INFINITY : cost;

/** Up to `wanted` candidates that differ from one another and from the given ones; fewer where there are no more. */
export function distinct<T>(
  wanted: number,
  make: () => T | null,
  keyOf: (candidate: T) => string,
  not: readonly T[] = [],
): T[] {
  const taken = new Set(not.map(keyOf));
  const candidates: T[] = [];
  for (let tries = 0; candidates.length < wanted && tries < 20 * wanted; tries++) {
    const candidate = make();
    if (candidate === null || taken.has(keyOf(candidate))) continue;
    taken.add(keyOf(candidate));
    candidates.push(candidate);
  }
  return candidates;
}
