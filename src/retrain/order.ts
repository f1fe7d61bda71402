/** @file Which rows each step trains on: in the order given, or every epoch in a shuffled order of its own. */
import { createRandom, mixSeed, randomInt } from '../numerics/random';

/** The rows 0 … count − 1 in a random order, which seed and epoch fix. */
export function shuffled(count: number, seed: number, epoch: number): number[] {
  const random = createRandom(mixSeed(seed, epoch));
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = randomInt(random, last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/**
 * The rows of each step, as indices. Step t takes the rows t·batch … t·batch + batch − 1 of the endless list of epochs.
 * @param seed null for the order in which the rows were given
 */
export function rowOrder(count: number, batch: number, seed: number | null): (step: number) => number[] {
  let known: { readonly epoch: number; readonly order: readonly number[] } | null = null;
  const orderOf = (epoch: number): readonly number[] => {
    if (known?.epoch !== epoch) known = { epoch, order: shuffled(count, seed ?? 0, epoch) };
    return known.order;
  };
  return (step) =>
    Array.from({ length: batch }, (_, at) => {
      const index = step * batch + at;
      return seed === null ? index % count : orderOf(Math.floor(index / count))[index % count]!;
    });
}
