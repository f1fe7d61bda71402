/** @file The base's final hidden states of sequences, kept between the generations of a search. */

/** Final hidden states by sequence, in the page's memory and within a budget; states that do not fit are computed again. */
export class BaseStates {
  readonly #states = new Map<readonly number[], Float32Array<ArrayBuffer>>();
  #left: number;

  /** @param bytes kept at most */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** The residual stream [sequence.length, hidden] behind the last block; undefined where it is not kept. */
  of(sequence: readonly number[]): Float32Array<ArrayBuffer> | undefined {
    return this.#states.get(sequence);
  }

  /** Whether so many bytes more would be kept. */
  hasRoom(bytes: number): boolean {
    return bytes <= this.#left;
  }

  /** Keeps a copy of a sequence's states; the sequence is known by its identity. */
  keep(sequence: readonly number[], states: Float32Array<ArrayBuffer>): void {
    if (this.#states.has(sequence) || !this.hasRoom(states.byteLength)) return;
    this.#left -= states.byteLength;
    this.#states.set(sequence, states.slice());
  }
}
