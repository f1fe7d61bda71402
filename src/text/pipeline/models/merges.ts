/**
 * @file Byte-pair merges: the pair of the lowest rank first, of equal ranks the one furthest left. A heap of candidates
 * takes O(n log n) for a piece of n symbols.
 */

/** Ids stay below this (schema.ts), so that two of them make one number that a float64 holds. */
const pairBase = 2 ** 25;
/** Symbols of a piece stay below this: a text's bound is 2^23 characters, and it may grow 32-fold. */
const placeBase = 2 ** 28;
/** Merges between two signs of life. */
const beatEvery = 2 ** 16;

export class Merges {
  /** Pair of ids → rank, and rank → id of the two together. */
  readonly #ranks = new Map<number, number>();
  readonly #made: number[] = [];

  /** Later merges of the same pair take the place of earlier ones. */
  add(left: number, right: number, made: number): void {
    this.#ranks.set(left * pairBase + right, this.#made.length);
    this.#made.push(made);
  }

  /** Merges symbols until no pair has a merge, and adds what is left to `out`. */
  apply(symbols: readonly number[], out: number[], beat: () => void): void {
    const count = symbols.length;
    if (count === 1) {
      out.push(symbols[0]!);
      return;
    }
    const ids = Int32Array.from(symbols);
    const next = Int32Array.from({ length: count }, (_, at) => (at + 1 < count ? at + 1 : -1));
    const previous = Int32Array.from({ length: count }, (_, at) => at - 1);
    /** Rank and place of candidates in one number. */
    const heap = new MinHeap();
    const consider = (left: number): void => {
      const right = left === -1 ? -1 : next[left]!;
      if (right === -1) return;
      const rank = this.#ranks.get(ids[left]! * pairBase + ids[right]!);
      if (rank !== undefined) heap.push(rank * placeBase + left);
    };
    for (let at = 0; at < count - 1; at += 1) consider(at);
    for (let step = 0; heap.size > 0; step += 1) {
      if (step % beatEvery === 0) beat();
      const least = heap.pop();
      const left = least % placeBase;
      const right = next[left]!;
      // The pair may have gone since: its left symbol (-1) or what it was a pair with.
      if (ids[left] === -1 || right === -1) continue;
      const rank = this.#ranks.get(ids[left]! * pairBase + ids[right]!);
      if (rank === undefined || this.#made[rank] !== this.#made[Math.floor(least / placeBase)]) continue;
      ids[left] = this.#made[rank]!;
      ids[right] = -1;
      next[left] = next[right]!;
      if (next[right] !== -1) previous[next[right]!] = left;
      consider(previous[left]!);
      consider(left);
    }
    for (let at = 0; at !== -1; at = next[at]!) out.push(ids[at]!);
  }
}

/** A binary heap of numbers, the least first. */
class MinHeap {
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** Of a heap that is not empty. */
  pop(): number {
    const items = this.#items;
    const least = items[0]!;
    const last = items.pop()!;
    const count = items.length;
    if (count === 0) return least;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && items[child + 1]! < items[child]!) child += 1;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return least;
  }
}
