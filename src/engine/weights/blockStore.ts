/**
 * @file The weights of all views' blocks on the GPU, as many at a time as fit in one memory budget.
 *
 * Views share a block if all its tensors are stored at the same places. If all blocks fit, each is uploaded once and
 * stays. If they do not fit, blocks alternate in a few slots: a reader announces which blocks it will visit and holds
 * the one that it works with; meanwhile the next one uploads in place of the blocks that are needed last (Belady's rule
 * over the routes of all readers). So a forward and backward pass keeps the blocks where it turns around, and forward
 * passes keep the first blocks.
 *
 * The device's queue overwrites a slot behind everything that was submitted, so commands that use a slot are submitted
 * before the slot is given to another block.
 */
import { LabError, throwIfAborted, unlessAborted } from '../../errors';
import type { Buffers } from '../gpu/buffers';
import { type BlockKeys, fullKey } from './blockKey';
import type { BlockLayout } from './blockLayout';
import type { ReadStore, ReadView } from './blockReader';
import type { BlockTransfer } from './blockTransfer';
import { weightsIn } from './gpuWeights';
import { fewestSlots, isOutOfMemory, Slots } from './slots';
import { type BlockUser, isIdle, type Slot, StoredBlock, type WrittenView } from './storedBlock';
import { ViewBlocks } from './viewBlocks';
import type { WeightUpload } from './weightUpload';
import { writtenPieces } from './writeBack';

/** How many of the blocks are on the GPU. */
export interface BlockUse {
  /** Different blocks of all open views. */
  readonly blocks: number;
  /** Blocks that the GPU has room for at a time. */
  readonly slots: number;
  /** Bytes of all blocks' weights. */
  readonly bytes: number;
  /** Bytes that were uploaded after a view was opened: none while all blocks fit. */
  readonly streamedBytes: number;
  /** Bytes that were uploaded in all. */
  readonly uploadedBytes: number;
}

/** A block of a view that opens. */
export interface NewBlock {
  readonly layout: BlockLayout;
  readonly keys: BlockKeys;
}

export class BlockStore implements ReadStore {
  readonly #transfer: BlockTransfer;
  readonly #views = new Set<ViewBlocks>();
  readonly #blocks = new Set<StoredBlock>();
  /** Blocks that a view may share, by the keys of the sub-blocks that it needs. */
  readonly #byKey = new Map<string, StoredBlock>();
  readonly #slots: Slots;
  /** Readers that wait until a slot can be had. */
  #waiting: (() => void)[] = [];
  /** A reader let go of a block whose use it has not submitted. */
  #unsubmitted = false;
  #announcements = 0;
  #streamedBytes = 0;
  #uploadedBytes = 0;
  #disposed = false;

  constructor(buffers: Buffers, transfer: BlockTransfer) {
    this.#slots = new Slots(
      buffers,
      (block) => this.#nextUse(block),
      () => {
        if (this.#unsubmitted) this.#submitAll();
      },
    );
    this.#transfer = transfer;
  }

  /** Enters the blocks of a view, by source. Those that another view has too are shared. Uploads nothing. */
  add(
    view: WrittenView,
    upload: Pick<WeightUpload, 'part' | 'settle'>,
    blocks: ReadonlyMap<number, NewBlock>,
  ): ViewBlocks {
    const layouts = new Map(Array.from(blocks, ([source, { layout }]) => [source, layout]));
    const added = new ViewBlocks(this, view, upload, layouts);
    for (const [source, { layout, keys }] of blocks) {
      added.set(source, this.#byKey.get(fullKey(keys)) ?? this.#create(layout, keys));
    }
    this.#views.add(added);
    return added;
  }

  #create(layout: BlockLayout, keys: BlockKeys): StoredBlock {
    const block = new StoredBlock(layout);
    this.#blocks.add(block);
    // A view without one of the sub-blocks may share the block too.
    const parts = [keys, { ...keys, mlp: null }, { ...keys, attention: null }];
    for (const key of parts.filter(({ attention, mlp }) => attention !== null || mlp !== null).map(fullKey)) {
      if (!this.#byKey.has(key)) this.#byKey.set(key, block);
    }
    return block;
  }

  /**
   * Uploads the blocks that only this view uses, as far as there is room without evicting others. Rejects with
   * 'out-of-memory' if not even two blocks fit.
   */
  async fill(view: ViewBlocks, signal: AbortSignal | undefined, report: () => void): Promise<void> {
    for (const block of view.blocks) {
      if (block.slot !== null || block.users.size > 1) continue;
      if (!this.#slots.fits(block.layout.bytes)) return;
      throwIfAborted(signal, 'Loading the weights');
      try {
        await unlessAborted(this.#load(this.#slots.create(block), false), signal, 'Loading the weights');
      } catch (thrown) {
        if (!isOutOfMemory(thrown) || this.#slots.count < fewestSlots) throw thrown;
        this.#slots.giveWay(0);
        return;
      }
      await view.upload.settle();
      report();
    }
  }

  /** Bounds the bytes of all slots from now on; null for as many as the GPU gives. Evicts the blocks that can be evicted at once. */
  limit(bytes: number | null): void {
    this.#slots.limit(bytes);
  }

  /** All blocks are on the GPU. */
  get complete(): boolean {
    for (const { slot } of this.#blocks) if (slot === null || slot.weights === null) return false;
    return true;
  }

  use(): BlockUse {
    let bytes = 0;
    for (const { layout } of this.#blocks) bytes += layout.bytes;
    const blocks = this.#blocks.size;
    const slots = bytes <= this.#slots.roomBytes ? blocks : this.#slots.count;
    return { blocks, slots, bytes, streamedBytes: this.#streamedBytes, uploadedBytes: this.#uploadedBytes };
  }

  /** Halves the room, because activations found none. False if nothing can be evicted. */
  async shrink(signal?: AbortSignal): Promise<boolean> {
    if (this.#slots.count <= fewestSlots) return false;
    const settled = Promise.all(Array.from(this.#slots.all, ({ loading }) => loading?.catch(() => undefined)));
    await unlessAborted(settled, signal, 'Making room on the GPU');
    for (const slot of this.#slots.idle()) {
      if (slot.dirty) await unlessAborted(this.#save(slot), signal, 'Making room on the GPU');
    }
    return this.#slots.halve();
  }

  /** Loads that are under way stop; nothing is freed, since the buffers go with the engine. */
  dispose(): void {
    this.#disposed = true;
    this.#wake();
  }

  /** A task will visit these blocks: among blocks that no route leads to, those of older tasks are evicted first. */
  announce(blocks: Iterable<StoredBlock>): void {
    this.#announcements += 1;
    for (const block of blocks) block.announced = this.#announcements;
  }

  /** A reader lets go of a block and will submit its use later. */
  leaveUnsubmitted(): void {
    this.#unsubmitted = true;
  }

  /** The slot with the block's weights, held for the caller until `release`. */
  async acquire(block: StoredBlock, signal: AbortSignal | undefined): Promise<Slot> {
    for (;;) {
      if (this.#disposed) throw closedError();
      const slot = block.slot ?? this.#begin(block, -1);
      if (slot === null || slot instanceof Promise) {
        // Other tasks hold every slot, or are waiting for theirs to load: one comes free when they go on.
        await unlessAborted(slot ?? new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
        continue;
      }
      slot.pins += 1;
      try {
        if (slot.loading !== null) await unlessAborted(slot.loading, signal);
        return slot;
      } catch (thrown) {
        this.release(slot);
        throw thrown;
      }
    }
  }

  release(slot: Slot): void {
    slot.pins -= 1;
    this.#settle(slot);
  }

  /** Starts the upload of a block that will be visited after `distance` others, unless that would evict a block visited sooner. */
  prefetch(block: StoredBlock, distance: number): void {
    if (block.slot !== null) return;
    const saved = this.#begin(block, distance);
    if (!(saved instanceof Promise)) return;
    saved.then(
      () => this.prefetch(block, distance),
      () => undefined, // the visit of the block meets the same failure
    );
  }

  /** Makes the block of a source the view's own, so that it may be written: other views keep the block as it is. */
  own(view: ReadView, source: number): void {
    const block = view.blockOf(source);
    if (block.owner === view) return;
    if (view.view.writeBack === undefined) throw new RangeError(`view ${view.view.id} cannot be written`);
    const layout = view.layouts.get(source)!;
    if (block.users.size === 1 && block.layout === layout) {
      this.#unlist(block);
      block.owner = view;
      return;
    }
    const copy = new StoredBlock(layout);
    copy.owner = view;
    copy.origin = block;
    this.#blocks.add(copy);
    view.set(source, copy);
    this.#drop(block);
  }

  /** Writes back every block that the view has written. */
  async flush(view: ViewBlocks, signal?: AbortSignal): Promise<void> {
    for (const { slot } of view.blocks) {
      if (slot?.saving) await unlessAborted(slot.saving, signal);
      if (slot?.dirty) await unlessAborted(this.#save(slot), signal);
    }
  }

  /** Frees blocks that no view uses any more, once no reader holds them. */
  remove(view: ViewBlocks): void {
    this.#views.delete(view);
    for (const block of [...this.#blocks]) this.#drop(block);
  }

  /** Forgets a block without users. */
  #drop(block: StoredBlock): void {
    if (block.users.size > 0) return;
    this.#unlist(block);
    this.#blocks.delete(block);
    if (block.slot !== null) this.#settle(block.slot);
  }

  /** From now on no other view shares the block. */
  #unlist(block: StoredBlock): void {
    for (const [key, listed] of this.#byKey) if (listed === block) this.#byKey.delete(key);
  }

  /**
   * Begins to load a block, in place of those that are needed last and later than after `distance` blocks. Null if no such
   * room can be had now; a promise if some has to be written back first: then the caller tries again.
   */
  #begin(block: StoredBlock, distance: number): Slot | Promise<void> | null {
    const { bytes, key } = block.layout;
    const victims: Slot[] = [];
    let [used, count] = [this.#slots.usedBytes, this.#slots.count];
    for (const slot of this.#slots.idle()) {
      if (this.#slots.fits(bytes, used, count)) break;
      if (this.#nextUse(slot.block) <= distance) return null;
      victims.push(slot);
      used -= slot.bytes;
      count -= 1;
    }
    if (!this.#slots.fits(bytes, used, count)) return null;
    const dirty = victims.filter((victim) => victim.dirty);
    if (dirty.length > 0) return Promise.all(dirty.map((victim) => this.#save(victim))).then(() => undefined);
    const reused = victims.find(({ layoutKey }) => layoutKey === key)?.buffers ?? [];
    for (const victim of victims) this.#slots.remove(victim, victim.buffers === reused);
    const slot = this.#slots.create(block, reused);
    this.#load(slot, true).catch(() => undefined); // the code that visits the block hears of it
    return slot;
  }

  /** Fills a new slot. If `onDemand`, others give way where the GPU is full. */
  #load(slot: Slot, onDemand: boolean): Promise<void> {
    const work = async (): Promise<void> => {
      try {
        if (slot.buffers.length === 0) await this.#slots.allocate(slot, onDemand);
        const bytes = await this.#send(slot);
        this.#uploadedBytes += bytes;
        if (onDemand) this.#streamedBytes += bytes;
      } catch (thrown) {
        this.#slots.remove(slot);
        throw thrown;
      }
    };
    slot.loading = work().finally(() => {
      slot.loading = null;
      this.#settle(slot);
    });
    return slot.loading;
  }

  /**
   * Puts the weights of a slot's block into its buffers: from the GPU if a copy's origin is there, else from a view's source.
   * Resolves to the bytes that were uploaded.
   */
  async #send(slot: Slot): Promise<number> {
    const { block, buffers } = slot;
    const { layout, origin } = block;
    block.origin = null;
    const there = origin?.owner === null ? origin.slot : null;
    if (there?.weights) {
      const place = new Map(there.block.layout.parts.map(({ roles }, index) => [roles.join(), there.buffers[index]!]));
      this.#transfer.copy(layout.parts.map(({ roles }, index) => [place.get(roles.join())!, buffers[index]!]));
      slot.weights = weightsIn(layout, buffers);
      return 0;
    }
    const [view, own] = this.#userOf(block);
    const stop = (): void => {
      if (this.#disposed || block.users.size === 0) throw closedError();
    };
    for (const [index, part] of layout.parts.entries()) await view.upload.part(part, own, buffers[index]!, stop);
    slot.weights = weightsIn(layout, buffers);
    return layout.bytes;
  }

  /** A view that reads the block's weights, and the layout that it knows them by: a view that has the whole block, if any. */
  #userOf(block: StoredBlock): [BlockUser, BlockLayout] {
    const { layout } = block;
    const users = [...block.users];
    const whole = users.find((view) => {
      const own = view.layouts.get(view.sourceOf(block)!);
      return own?.parts.length === layout.parts.length;
    });
    const view = whole ?? users[0];
    if (view === undefined) throw closedError();
    return [view, { ...layout, shape: { ...layout.shape, source: view.sourceOf(block)! } }];
  }

  /** Writes a slot's weights back to the view that owns its block. */
  #save(slot: Slot): Promise<void> {
    if (slot.saving !== null) return slot.saving;
    const { block, buffers } = slot;
    const { owner, layout } = block;
    const source = owner?.sourceOf(block);
    slot.dirty = false;
    if (owner?.view.writeBack === undefined || source === undefined) return Promise.resolve();
    this.#submitAll();
    const pieces = writtenPieces(owner.shape, layout, buffers, this.#transfer);
    const saving = owner.view
      .writeBack(source, pieces)
      .catch((thrown: unknown) => {
        slot.dirty = true;
        throw thrown;
      })
      .finally(() => {
        slot.saving = null;
        this.#settle(slot);
      });
    saving.catch(() => undefined); // raised where it is awaited
    slot.saving = saving;
    return saving;
  }

  /** Submits the commands that readers have encoded with blocks that they released. */
  #submitAll(): void {
    for (const { readers } of this.#views) for (const reader of readers) reader.submitNow();
    this.#unsubmitted = false;
  }

  #nextUse(block: StoredBlock): number {
    let nearest = Number.MAX_VALUE;
    for (const { readers } of this.#views) {
      for (const reader of readers) nearest = Math.min(nearest, reader.distanceTo(block));
    }
    return nearest;
  }

  /**
   * After a slot was released, loaded or saved: it is freed if no view uses its block, and the code that waits looks
   * again.
   */
  #settle(slot: Slot): void {
    if (slot.block.users.size === 0 && isIdle(slot) && this.#slots.has(slot)) this.#slots.remove(slot);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

function closedError(): LabError {
  return new LabError('not-loaded', 'The engine was closed.', 'Load the model again.');
}
