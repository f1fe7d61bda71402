/** @file The slots on the GPU, within a budget of bytes: which blocks can be evicted, and which of them are evicted first. */
import { LabError } from '../../errors';
import type { Buffers } from '../gpu/buffers';
import { isIdle, type Slot, type StoredBlock } from './storedBlock';

/** One to work with, one to upload into. */
export const fewestSlots = 2;
/** When the GPU is full before all blocks fit, this share of the bytes that fit stays: activations need the rest. */
const keptShare = 0.75;

export class Slots {
  readonly #buffers: Buffers;
  readonly #nextUse: (block: StoredBlock) => number;
  readonly #beforeRemoval: () => void;
  readonly #slots = new Set<Slot>();
  /** Bytes that all slots may take; null for as many as the GPU gives. Two slots are always allowed. */
  #budget: number | null = null;
  /** Bytes that turned out to fit when the GPU was full. */
  #fitting = Number.POSITIVE_INFINITY;

  /**
   * @param nextUse how many blocks are visited before this one
   * @param beforeRemoval is called before buffers are freed or given to another block
   */
  constructor(buffers: Buffers, nextUse: (block: StoredBlock) => number, beforeRemoval: () => void) {
    this.#buffers = buffers;
    this.#nextUse = nextUse;
    this.#beforeRemoval = beforeRemoval;
  }

  get all(): Iterable<Slot> {
    return this.#slots;
  }

  get count(): number {
    return this.#slots.size;
  }

  has(slot: Slot): boolean {
    return this.#slots.has(slot);
  }

  get usedBytes(): number {
    let used = 0;
    for (const { bytes } of this.#slots) used += bytes;
    return used;
  }

  /** Bytes that all slots may take; infinite if there is no bound. */
  get roomBytes(): number {
    return Math.min(this.#budget ?? Number.POSITIVE_INFINITY, this.#fitting);
  }

  /** Whether a slot of so many bytes may join `count` slots that use `used` bytes. */
  fits(bytes: number, used = this.usedBytes, count = this.count): boolean {
    return count < fewestSlots || used + bytes <= this.roomBytes;
  }

  /** Bounds the bytes from now on, and evicts the slots that can be evicted at once. */
  limit(bytes: number | null): void {
    this.#budget = bytes;
    this.#evict(this.roomBytes);
  }

  /** The GPU is full although more was to fit: evicts a part beside `extraBytes` that are to stay. False if nothing could be evicted. */
  giveWay(extraBytes: number): boolean {
    this.#fitting = Math.floor((this.usedBytes - extraBytes) * keptShare);
    return this.#evict(this.#fitting);
  }

  /** Halves the room. False if nothing could be evicted. */
  halve(): boolean {
    this.#fitting = Math.floor(this.usedBytes / 2);
    return this.#evict(this.#fitting);
  }

  /** A new slot for a block. Its buffers are allocated later unless they come from another slot. */
  create(block: StoredBlock, buffers: GPUBuffer[] = []): Slot {
    const { key: layoutKey, bytes } = block.layout;
    const state = { weights: null, pins: 0, loading: null, dirty: false, saving: null };
    const slot: Slot = { block, layoutKey, bytes, buffers, ...state };
    block.slot = slot;
    this.#slots.add(slot);
    return slot;
  }

  /** Allocates a slot's buffers. If the GPU is full and `evicting`, other blocks give way. Rejects with 'out-of-memory'. */
  async allocate(slot: Slot, evicting: boolean): Promise<void> {
    for (;;) {
      try {
        for (const { bytes, roles } of slot.block.layout.parts) {
          slot.buffers.push(await this.#buffers.allocate(bytes, `${roles.join(' + ')} of a block`));
        }
        return;
      } catch (thrown) {
        for (const buffer of slot.buffers.splice(0)) this.#buffers.free(buffer);
        if (!evicting || !isOutOfMemory(thrown) || !this.giveWay(slot.bytes)) throw thrown;
      }
    }
  }

  /** Frees a slot, or all of it but its buffers, which another block gets. */
  remove(slot: Slot, keepBuffers = false): void {
    this.#beforeRemoval();
    if (slot.block.slot === slot) slot.block.slot = null;
    this.#slots.delete(slot);
    if (!keepBuffers) for (const buffer of slot.buffers.splice(0)) this.#buffers.free(buffer);
  }

  /** Slots whose blocks may be evicted, the one that is needed last first. */
  idle(): Slot[] {
    const wanted = new Map(Array.from(this.#slots, (slot) => [slot, this.#nextUse(slot.block)]));
    return [...this.#slots].filter(isIdle).sort(
      (a, b) =>
        wanted.get(b)! - wanted.get(a)! ||
        a.block.announced - b.block.announced ||
        // The first blocks stay: the next pass begins there.
        b.block.layout.shape.source - a.block.layout.shape.source,
    );
  }

  /** Evicts idle blocks until at most so many bytes are used. Written blocks stay: they have to be written back first. */
  #evict(bytes: number): boolean {
    let evicted = false;
    for (const slot of this.idle()) {
      if (this.usedBytes <= bytes || this.count <= fewestSlots) break;
      if (slot.dirty) continue;
      this.remove(slot);
      evicted = true;
    }
    return evicted;
  }
}

export function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof LabError && thrown.code === 'out-of-memory';
}
