/**
 * @file The blocks' weights on the GPU, as many at a time as there is room for.
 *
 * Where all fit, each is uploaded once and stays. Where they do not, a few slots take turns: a reader says which blocks it
 * will visit, holds the one that it works with, and the next one uploads meanwhile into the slot whose block is wanted
 * last (Belady's rule, which knows of both readers' routes). So a pass there and back keeps what it turns around at, and
 * passes that all go one way keep the first blocks.
 *
 * A slot is overwritten by the queue, behind what was submitted: a reader submits what it has encoded before it lets
 * go of a block.
 */
import { LabError, throwIfAborted, unlessAborted } from '../../errors';
import type { Buffers } from '../gpu/buffers';
import type { BiasLayout, BlockLayout, PartLayout } from './blockLayout';
import type { BlockWeights, Projection } from './gpuWeights';
import type { WeightUpload } from './weightUpload';

/** One to work with, one to upload into. */
const fewestSlots = 2;
/** Share of the blocks that fit which stay, where the GPU was full before all did: the rest is room for activations. */
const keptShare = 0.75;

/** Room for one block. */
interface Slot {
  /** Block whose weights are there or on their way; null where none are. */
  source: number | null;
  /** Of the layout that the buffers were made for. */
  key: string;
  buffers: Map<PartLayout, GPUBuffer>;
  weights: BlockWeights | null;
  /** Readers that hold it. */
  pins: number;
  /** Settles when the weights are there; null when nothing is on its way. */
  loading: Promise<void> | null;
}

/** How much of the model is on the GPU. */
export interface BlockUse {
  /** Blocks of the model. */
  readonly blocks: number;
  /** Blocks that the GPU has room for at a time. */
  readonly slots: number;
  /** Bytes of all blocks' weights. */
  readonly bytes: number;
  /** Bytes that went to the GPU after the engine was made: none while all blocks fit. */
  readonly streamedBytes: number;
}

export class BlockStore {
  /** By `LayerShape.source`. */
  readonly layouts: ReadonlyMap<number, BlockLayout>;
  readonly #buffers: Buffers;
  readonly #upload: WeightUpload;
  readonly #readers: BlockReader[] = [];
  #slots: Slot[] = [];
  /** Those that wait for a slot to come free. */
  #waiting: (() => void)[] = [];
  #streamedBytes = 0;
  #disposed = false;

  constructor(buffers: Buffers, upload: WeightUpload, layouts: ReadonlyMap<number, BlockLayout>) {
    this.#buffers = buffers;
    this.#upload = upload;
    this.layouts = layouts;
  }

  /**
   * Makes room and uploads the first blocks into it. `bytes` bounds the room, except for two blocks; null takes what the
   * GPU gives. Rejects with 'out-of-memory' when not even two blocks fit.
   */
  async fill(bytes: number | null, signal: AbortSignal | undefined, report: () => void): Promise<void> {
    const layouts = [...this.layouts.values()];
    const largest = Math.max(0, ...layouts.map((layout) => layout.bytes));
    const all = layouts.reduce((sum, layout) => sum + layout.bytes, 0);
    const most =
      bytes === null || all <= bytes ? layouts.length : Math.max(fewestSlots, Math.floor(bytes / Math.max(largest, 1)));
    for (const [source, layout] of this.layouts) {
      if (this.#slots.length >= most) break;
      const slot: Slot = { source, key: '', buffers: new Map(), weights: null, pins: 0, loading: null };
      throwIfAborted(signal, 'Loading the weights');
      try {
        await this.#makeRoom(slot, layout);
      } catch (thrown) {
        this.#free(slot);
        if (!isOutOfMemory(thrown) || this.#slots.length < fewestSlots) throw thrown;
        const kept = Math.max(fewestSlots, Math.floor(this.#slots.length * keptShare));
        for (const more of this.#slots.splice(kept)) this.#free(more);
        break;
      }
      this.#slots.push(slot);
      await this.#send(slot, layout, signal);
      await this.#upload.settle();
      report();
    }
  }

  /** All blocks are on the GPU for good. */
  get complete(): boolean {
    return this.#slots.length >= this.layouts.size;
  }

  use(): BlockUse {
    const bytes = [...this.layouts.values()].reduce((sum, layout) => sum + layout.bytes, 0);
    const slots = Math.min(this.#slots.length, this.layouts.size);
    return { blocks: this.layouts.size, slots, bytes, streamedBytes: this.#streamedBytes };
  }

  /** For one task at a time; `submit` hands to the queue what the task has encoded. */
  reader(submit: () => Promise<void>): BlockReader {
    const reader = new BlockReader(this, submit);
    this.#readers.push(reader);
    return reader;
  }

  /** Gives half of the room back, for activations that found none. False where that is not possible. */
  async shrink(signal?: AbortSignal): Promise<boolean> {
    if (this.#slots.length <= fewestSlots) return false;
    const kept = Math.max(fewestSlots, Math.floor(Math.min(this.#slots.length, this.layouts.size) / 2));
    for (const reader of this.#readers) await reader.submit();
    const settled = Promise.all(this.#slots.map(({ loading }) => loading?.catch(() => undefined)));
    await unlessAborted(settled, signal, 'Making room on the GPU');
    const idle = this.#slots.filter(({ pins, loading }) => pins === 0 && loading === null);
    const removed = new Set(idle.reverse().slice(0, this.#slots.length - kept));
    for (const slot of removed) this.#free(slot);
    this.#slots = this.#slots.filter((slot) => !removed.has(slot));
    return removed.size > 0;
  }

  dispose(): void {
    this.#disposed = true;
  }

  /** The block's weights, held for the caller until `release`; waits for them to arrive. */
  async acquire(source: number, signal: AbortSignal | undefined): Promise<BlockWeights> {
    for (;;) {
      const slot = this.#slots.find((each) => each.source === source) ?? this.#begin(source, -1);
      if (slot === null) {
        // Every slot is held or on its way for another task: one comes free when that goes on.
        const free = new Promise<void>((resolve) => this.#waiting.push(resolve));
        await unlessAborted(free, signal);
        continue;
      }
      slot.pins += 1;
      try {
        if (slot.loading !== null) await unlessAborted(slot.loading, signal);
        return slot.weights!;
      } catch (thrown) {
        this.#unpin(slot);
        throw thrown;
      }
    }
  }

  release(source: number): void {
    const slot = this.#slots.find((each) => each.source === source);
    if (slot !== undefined) this.#unpin(slot);
  }

  /** Starts the upload of a block that will be wanted after `distance` others, if no nearer one would have to go. */
  prefetch(source: number, distance: number): void {
    if (this.complete || this.#slots.some((slot) => slot.source === source)) return;
    this.#begin(source, distance)?.loading?.catch(() => undefined); // who visits the block hears of it
  }

  /** Begins to load a block into the slot that is wanted last, and later than after `distance` blocks; null without one. */
  #begin(source: number, distance: number): Slot | null {
    const layout = this.layouts.get(source);
    if (layout === undefined) throw new RangeError(`block ${source}: the engine has none of this number`);
    const idle = this.#slots.filter(({ pins, loading }) => pins === 0 && loading === null);
    const wanted = (slot: Slot): number =>
      slot.source === null ? Number.POSITIVE_INFINITY : this.#nextUse(slot.source);
    // Of those that nobody wants, the first blocks stay: the next pass begins there.
    idle.sort((a, b) => wanted(b) - wanted(a) || (b.source ?? 0) - (a.source ?? 0));
    const slot = idle[0];
    if (slot === undefined || wanted(slot) <= distance) return null;
    slot.source = source;
    slot.weights = null;
    slot.loading = this.#load(slot, layout).finally(() => {
      slot.loading = null;
      this.#wake();
    });
    return slot;
  }

  async #load(slot: Slot, layout: BlockLayout): Promise<void> {
    try {
      if (slot.key !== layout.key) await this.#makeRoom(slot, layout);
      await this.#send(slot, layout, undefined);
      this.#streamedBytes += layout.bytes;
    } catch (thrown) {
      slot.source = null;
      throw thrown;
    }
  }

  /** Buffers for a block of this layout in place of those that the slot has. */
  async #makeRoom(slot: Slot, layout: BlockLayout): Promise<void> {
    this.#free(slot);
    for (const part of layout.parts) {
      const label = `${part.roles.join(' + ')} of a block`;
      slot.buffers.set(part, await this.#buffers.allocate(part.bytes, label));
    }
    slot.key = layout.key;
  }

  /** Reads a block's weights and writes them into the slot. */
  async #send(slot: Slot, layout: BlockLayout, signal: AbortSignal | undefined): Promise<void> {
    const stop = (): void => {
      throwIfAborted(signal, 'Loading the weights');
      if (this.#disposed) throw new LabError('not-loaded', 'The engine was closed.', 'Load the model again.');
    };
    // Parts of one key come in one order, whichever block the buffers were made for.
    const buffers = [...slot.buffers.values()];
    slot.buffers = new Map(layout.parts.map((part, index) => [part, buffers[index]!]));
    for (const [part, buffer] of slot.buffers) await this.#upload.part(part, layout, buffer, stop);
    slot.weights = weightsIn(layout, slot.buffers);
  }

  #free(slot: Slot): void {
    for (const buffer of slot.buffers.values()) this.#buffers.free(buffer);
    slot.buffers = new Map();
    slot.key = '';
  }

  #nextUse(source: number): number {
    return Math.min(Number.MAX_VALUE, ...this.#readers.map((reader) => reader.distanceTo(source)));
  }

  #unpin(slot: Slot): void {
    slot.pins -= 1;
    if (slot.pins === 0) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** One lane's way over the blocks: it holds the block that it works with, and has the next one uploaded. */
export class BlockReader {
  readonly #store: BlockStore;
  /** Hands to the queue what the task has encoded so far. */
  readonly submit: () => Promise<void>;
  #route: readonly number[] = [];
  #position = 0;
  #held: { readonly source: number; readonly weights: BlockWeights } | null = null;

  constructor(store: BlockStore, submit: () => Promise<void>) {
    this.#store = store;
    this.submit = submit;
  }

  /** Says which blocks will be visited from here on, in order: what makes streaming fast, not what makes it right. */
  follow(route: readonly number[]): void {
    this.#route = route;
    this.#position = 0;
    const first = route[0];
    if (first !== undefined) this.#store.prefetch(first, 0);
  }

  /** The weights of a block, valid until the next call. */
  async at(source: number, signal?: AbortSignal): Promise<BlockWeights> {
    if (this.#held?.source === source) return this.#held.weights;
    await this.#letGo();
    const weights = await this.#store.acquire(source, signal);
    this.#held = { source, weights };
    const next = this.#route.indexOf(source, this.#position);
    if (next >= 0) this.#position = next;
    this.#prefetchNext();
    return weights;
  }

  /** Blocks between here and the next visit of this one; infinite where none is planned. */
  distanceTo(source: number): number {
    const at = this.#route.indexOf(source, this.#position);
    return at < 0 ? Number.POSITIVE_INFINITY : at - this.#position;
  }

  /** The task is over, well or not: what it encoded is submitted or dropped. */
  end(): void {
    this.#route = [];
    this.#position = 0;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#store.release(held.source);
  }

  async #letGo(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    if (!this.#store.complete) await this.submit();
    this.#held = null;
    this.#store.release(held.source);
  }

  #prefetchNext(): void {
    const here = this.#route[this.#position];
    for (let at = this.#position + 1; at < this.#route.length; at++) {
      if (this.#route[at] === here) continue;
      this.#store.prefetch(this.#route[at]!, at - this.#position);
      return;
    }
  }
}

function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof LabError && thrown.code === 'out-of-memory';
}

/** The buffers of a slot as the weights of a block. */
function weightsIn(layout: BlockLayout, buffers: ReadonlyMap<PartLayout, GPUBuffer>): BlockWeights {
  const { attention, mlp, shape } = layout;
  const bufferOf = (part: PartLayout): GPUBuffer => buffers.get(part)!;
  const maybe = (part: PartLayout | null): GPUBuffer | null => part && bufferOf(part);
  const projection = (part: PartLayout, bias: BiasLayout | null): Projection => ({
    matrix: { ...part, buffer: bufferOf(part) },
    bias: bias && { runs: bias.runs, buffer: bufferOf(bias) },
  });
  return {
    shape,
    attention: attention && {
      norm: maybe(attention.norm),
      qkv: projection(attention.qkv, attention.qkvBias),
      headNorms: maybe(attention.headNorms),
      out: projection(attention.out, attention.outBias),
      postNorm: maybe(attention.postNorm),
    },
    mlp: mlp && {
      norm: maybe(mlp.norm),
      gateUp: projection(mlp.gateUp, mlp.gateUpBias),
      down: projection(mlp.down, mlp.downBias),
      postNorm: maybe(mlp.postNorm),
    },
  };
}
