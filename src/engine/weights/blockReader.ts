/** @file How a task visits a view's blocks: it holds the one that it works with, and the next one uploads meanwhile. */
import type { BlockWeights } from './gpuWeights';
import type { BlockUser, PlannedReader, Slot, StoredBlock } from './storedBlock';

/** The command queue of a reader's task. */
export interface ReaderQueue {
  /** Submits the commands that the task has encoded so far; waits while enough submissions are under way. */
  submit(): Promise<void>;
  /** Submits at once, without waiting. */
  submitNow(): void;
}

/** The part of the store of blocks that a reader uses. */
export interface ReadStore {
  readonly complete: boolean;
  announce(blocks: Iterable<StoredBlock>): void;
  leaveUnsubmitted(): void;
  acquire(block: StoredBlock, signal: AbortSignal | undefined): Promise<Slot>;
  release(slot: Slot): void;
  prefetch(block: StoredBlock, distance: number): void;
  own(view: ReadView, source: number): void;
}

/** The part of its view that a reader uses. */
export interface ReadView extends BlockUser {
  blockOf(source: number): StoredBlock;
  /** Has the block stand for a source from now on. */
  set(source: number, block: StoredBlock): void;
  weightsIn(source: number, slot: Slot): BlockWeights;
}

/** Serves one task at a time. */
export class BlockReader implements PlannedReader {
  readonly #store: ReadStore;
  readonly #view: ReadView;
  readonly #queue: ReaderQueue;
  /** The sources of the blocks that the task will visit, in order. */
  #route: readonly number[] = [];
  #position = 0;
  #held: { readonly block: StoredBlock; readonly slot: Slot; readonly weights: BlockWeights } | null = null;

  constructor(store: ReadStore, view: ReadView, queue: ReaderQueue) {
    this.#store = store;
    this.#view = view;
    this.#queue = queue;
  }

  submitNow(): void {
    this.#queue.submitNow();
  }

  /** Announces which blocks the task will visit from here on, in order. Blocks that were not announced load too, but later. */
  follow(route: readonly number[]): void {
    this.#route = route;
    this.#position = 0;
    this.#store.announce(new Set(route.map((source) => this.#view.blockOf(source))));
    const first = route[0];
    if (first !== undefined) this.#store.prefetch(this.#view.blockOf(first), 0);
  }

  /** The weights of a block, valid until the next call. Waits for them to arrive. */
  async at(source: number, signal?: AbortSignal): Promise<BlockWeights> {
    const block = this.#view.blockOf(source);
    if (this.#held?.block === block) return this.#held.weights;
    await this.#letGo();
    const slot = await this.#store.acquire(block, signal);
    const weights = this.#view.weightsIn(source, slot);
    this.#held = { block, slot, weights };
    const next = this.#route.indexOf(source, this.#position);
    if (next >= 0) this.#position = next;
    this.#prefetchNext();
    return weights;
  }

  /**
   * The weights of a block, to be written by the task and seen by no other view; valid until the next call. Ask for them
   * before the writing commands are encoded: the block that `at` gave before may be another view's too.
   */
  async writable(source: number, signal?: AbortSignal): Promise<BlockWeights> {
    this.#store.own(this.#view, source);
    const weights = await this.at(source, signal);
    if (this.#held !== null) this.#held.slot.dirty = true;
    return weights;
  }

  distanceTo(block: StoredBlock): number {
    const source = this.#route.length === 0 ? undefined : this.#view.sourceOf(block);
    const at = source === undefined ? -1 : this.#route.indexOf(source, this.#position);
    return at < 0 ? Number.POSITIVE_INFINITY : at - this.#position;
  }

  /** The task has ended, with or without an error: its commands have been submitted or dropped. */
  end(): void {
    this.#route = [];
    this.#position = 0;
    this.#release();
  }

  /** A slot is overwritten after all submitted commands: commands that use its weights have to be submitted before. */
  async #letGo(): Promise<void> {
    if (this.#held === null) return;
    if (this.#store.complete) this.#store.leaveUnsubmitted();
    else await this.#queue.submit();
    this.#release();
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#store.release(held.slot);
  }

  #prefetchNext(): void {
    const here = this.#route[this.#position];
    for (let at = this.#position + 1; at < this.#route.length; at++) {
      if (this.#route[at] === here) continue;
      this.#store.prefetch(this.#view.blockOf(this.#route[at]!), at - this.#position);
      return;
    }
  }
}
