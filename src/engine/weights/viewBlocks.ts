/** @file The blocks of one view, some of which other views may have in common with it. */
import type { ModelShape } from '../../model/shape';
import type { BlockLayout } from './blockLayout';
import { BlockReader, type ReaderQueue, type ReadStore, type ReadView } from './blockReader';
import type { BlockWeights } from './gpuWeights';
import type { Slot, StoredBlock, WrittenView } from './storedBlock';
import type { WeightUpload } from './weightUpload';

/** The part of the store that a view's blocks use. */
interface ViewStore extends ReadStore {
  flush(view: ViewBlocks, signal?: AbortSignal): Promise<void>;
  remove(view: ViewBlocks): void;
}

export class ViewBlocks implements ReadView {
  readonly layouts: ReadonlyMap<number, BlockLayout>;
  readonly view: WrittenView;
  readonly upload: Pick<WeightUpload, 'part' | 'settle'>;
  readonly #store: ViewStore;
  readonly #blocks = new Map<number, StoredBlock>();
  readonly #sources = new Map<StoredBlock, number>();
  readonly readers: BlockReader[] = [];

  constructor(
    store: ViewStore,
    view: WrittenView,
    upload: Pick<WeightUpload, 'part' | 'settle'>,
    layouts: ReadonlyMap<number, BlockLayout>,
  ) {
    this.#store = store;
    this.view = view;
    this.upload = upload;
    this.layouts = layouts;
  }

  get shape(): ModelShape {
    return this.view.shape;
  }

  get blocks(): Iterable<StoredBlock> {
    return this.#sources.keys();
  }

  /** The block of a source. A source that no layer of the view names is a mistake of the caller. */
  blockOf(source: number): StoredBlock {
    const block = this.#blocks.get(source);
    if (block === undefined) throw new RangeError(`block ${source}: view ${this.view.id} has none of this number`);
    return block;
  }

  sourceOf(block: StoredBlock): number | undefined {
    return this.#sources.get(block);
  }

  set(source: number, block: StoredBlock): void {
    const before = this.#blocks.get(source);
    if (before !== undefined) {
      this.#sources.delete(before);
      before.users.delete(this);
    }
    this.#blocks.set(source, block);
    this.#sources.set(block, source);
    block.users.add(this);
  }

  /** The contents for this view of the slot of a source's block. */
  weightsIn(source: number, { block, weights }: Slot): BlockWeights {
    const layout = this.layouts.get(source);
    if (layout === undefined || weights === null) throw new RangeError(`block ${source}: its weights are not there`);
    if (layout === block.layout) return weights;
    return {
      shape: layout.shape,
      attention: layout.attention && weights.attention,
      mlp: layout.mlp && weights.mlp,
    };
  }

  /** For one task at a time, whose commands go through the queue. */
  reader(queue: ReaderQueue): BlockReader {
    const reader = new BlockReader(this.#store, this, queue);
    this.readers.push(reader);
    return reader;
  }

  /** Some block was written and not written back yet. */
  get isWritten(): boolean {
    return [...this.#sources.keys()].some(({ slot }) => slot !== null && (slot.dirty || slot.saving !== null));
  }

  /** Writes back every block that was written. Rejects if the view's `writeBack` does, with the same error. */
  flush(signal?: AbortSignal): Promise<void> {
    return this.#store.flush(this, signal);
  }

  /** Frees the blocks that only this view uses; writes that were not flushed are lost. No task may be reading. */
  close(): void {
    for (const block of this.#sources.keys()) block.users.delete(this);
    this.#store.remove(this);
    this.#blocks.clear();
    this.#sources.clear();
  }
}
