/**
 * @file Dropout from a seeded hash: an element's factor follows from the seed and its index alone, so that a backward pass finds the
 * factors of the forward pass again, and nothing stores them.
 */
import type { Floats } from './arrays';
import { mixSeed } from './random';

export interface Dropout {
  /** The share of the elements that become 0, in [0, 1). */
  readonly rate: number;
  /** A u32. */
  readonly seed: number;
}

/** Hashes below it drop their element: of all 2³² the share `rate`. */
export function dropoutThreshold(rate: number): number {
  return Math.floor(rate * 2 ** 32);
}

/** 0 for a dropped element, else 1 / (1 − rate), so that the mean over all seeds is 1. */
export function dropFactor({ rate, seed }: Dropout, element: number): number {
  return mixSeed(seed, element) < dropoutThreshold(rate) ? 0 : 1 / (1 - rate);
}

/** The values times their factors; the index of a value is its element. Without a dropout they stay as they are. */
export function dropped(values: Floats, dropout: Dropout | null): Float64Array {
  return Float64Array.from(values, (value, element) => value * (dropout === null ? 1 : dropFactor(dropout, element)));
}
