/**
 * @file The weights of a model and its variants on the GPU, in their stored types, within one memory budget.
 *
 * Embedding, final norm and head stay there as long as a view is open (`vocabularyTables.ts`). The rest of the budget is for
 * blocks, as many at a time as fit (`blockStore.ts`).
 */
import { LabError } from '../../errors';
import { layerRoles, modelRoles } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import type { TensorRef } from '../../model/weights';
import type { TaskOptions } from '../../task';
import { Turns } from '../../turns';
import type { Buffers } from '../gpu/buffers';
import type { GpuContext } from '../gpu/device';
import { blockKeys } from './blockKey';
import { blockLayout } from './blockLayout';
import { BlockStore, type NewBlock } from './blockStore';
import { BlockTransfer } from './blockTransfer';
import type { VocabPart } from './gpuWeights';
import { ViewAdapters } from './viewAdapters';
import type { ViewBlocks } from './viewBlocks';
import { type VocabularyTable, VocabularyTables } from './vocabularyTables';
import { WeightChecks } from './weightChecks';
import { stopBy, WeightUpload } from './weightUpload';

/** The weights of one view. */
export interface ModelWeights {
  readonly embed: readonly VocabPart[];
  /** The same parts as `embed` if the head is tied. */
  readonly head: readonly VocabPart[];
  readonly finalNorm: GPUBuffer;
  readonly blocks: ViewBlocks;
  readonly adapters: ViewAdapters;
  /** Refuses weights that are not finite before a task uses them. */
  readonly checks: WeightChecks;
  readonly room: WeightRoom;
  /** Frees the buffers that only this view uses. No task may be using the view. */
  close(): void;
}

/** The memory that the blocks of all views share with what a training keeps beside them. */
export interface WeightRoom {
  /** Bytes beside embeddings and heads; null for as many as the GPU gives. */
  bytes(): number | null;
  /** Leaves blocks so many bytes less, from now on. */
  reserve(bytes: number): void;
}

export interface WeightOptions {
  /** Largest part of the embedding or head in one binding, bytes; the adapter's limit unless given. */
  readonly vocabPartBytes?: number | undefined;
  /**
   * Memory for all weights of all views, bytes: blocks that do not fit alternate. As much as the GPU gives unless
   * given.
   */
  readonly weightBytes?: number | undefined;
}

/** The state that all views of one model share. */
export class WeightMemory {
  readonly blocks: BlockStore;
  readonly #context: GpuContext;
  readonly #tables: VocabularyTables;
  readonly #bytes: number | null;
  /** The weights of the first view, from which the others differ. */
  #base: ModelView['weights'] | null = null;
  /** Bytes that blocks leave to a training. */
  #reserved = 0;
  /** Views open one after the other. */
  readonly #turns = new Turns();

  constructor(context: GpuContext, buffers: Buffers, { vocabPartBytes, weightBytes }: WeightOptions) {
    const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
    this.#context = context;
    this.#bytes = weightBytes ?? null;
    this.#tables = new VocabularyTables(
      buffers,
      vocabPartBytes ?? Math.min(maxBufferSize, maxStorageBufferBindingSize),
    );
    this.blocks = new BlockStore(buffers, new BlockTransfer(context, buffers));
  }

  readonly #room: WeightRoom = {
    bytes: () => (this.#bytes === null ? null : this.#bytes - this.#tables.bytes),
    reserve: (bytes) => {
      if (bytes === this.#reserved) return;
      this.#reserved = bytes;
      this.#limitBlocks(0);
    },
  };

  /**
   * Opens a view: uploads the blocks that it does not share with the open views, as far as there is room. Rejects with 'bad-weights', or with
   * 'out-of-memory' if the GPU has no room for the view's embedding and head beside two blocks.
   */
  open(view: ModelView, task: TaskOptions): Promise<ModelWeights> {
    return this.#turns.take(() => this.#open(view, task), task.signal, 'Loading the weights');
  }

  async #open(view: ModelView, { signal, onProgress }: TaskOptions): Promise<ModelWeights> {
    const { shape, weights } = view;
    this.#base ??= weights;
    const upload = new WeightUpload(this.#context, shape, weights);
    const blocks = this.blocks.add(view, upload, newBlocks(view));
    const tables: VocabularyTable[] = [];
    const close = (): void => {
      blocks.close();
      for (const table of tables.splice(0)) this.#tables.release(table);
      this.#limitBlocks(0);
    };
    try {
      const missing = modelRoles(shape).filter((role) => this.#tables.missingBytes(role, shape, weights) > 0);
      const total = uploadBytes(view, missing, blocks);
      const report = (): void => onProgress?.({ stage: 'upload', done: upload.read, total, unit: 'bytes' });
      this.#limitBlocks(missing.reduce((sum, role) => sum + this.#tables.missingBytes(role, shape, weights), 0));
      for (const role of modelRoles(shape)) {
        const acquire = () => this.#tables.acquire(role, shape, weights, upload, stopBy(signal), report);
        tables.push(await this.#orEvicting(acquire, signal));
      }
      this.#limitBlocks(0);
      await this.blocks.fill(blocks, signal, report);
      const [embed, finalNorm, head = embed] = tables;
      if (embed === undefined || finalNorm?.parts[0] === undefined || head === undefined) {
        throw new RangeError('a model has an embedding and a final norm');
      }
      return {
        embed: embed.parts,
        head: head.parts,
        finalNorm: finalNorm.parts[0].buffer,
        blocks,
        adapters: new ViewAdapters(),
        checks: new WeightChecks(shape, weights, this.#base),
        room: this.#room,
        close,
      };
    } catch (thrown) {
      close();
      throw thrown;
    }
  }

  /** The blocks get the budget without the bytes of the tables and `extraBytes`. */
  #limitBlocks(extraBytes: number): void {
    if (this.#bytes !== null) this.blocks.limit(this.#bytes - this.#tables.bytes - this.#reserved - extraBytes);
  }

  /** Tries again with fewer blocks on the GPU as long as it is full. */
  async #orEvicting<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (thrown) {
        const full = thrown instanceof LabError && thrown.code === 'out-of-memory';
        if (!full || !(await this.blocks.shrink(signal))) throw thrown;
      }
    }
  }

  /** Uploads that are under way stop. The buffers go with those of the engine. */
  dispose(): void {
    this.blocks.dispose();
  }
}

/** The weights of a model without variants. */
export function uploadWeights(
  context: GpuContext,
  buffers: Buffers,
  shape: ModelView['shape'],
  weights: ModelView['weights'],
  options: WeightOptions & TaskOptions,
): Promise<ModelWeights> {
  return new WeightMemory(context, buffers, options).open({ id: baseViewId, shape, weights }, options);
}

/** The blocks that a view's layers name, by source. */
function newBlocks({ shape, weights }: ModelView): Map<number, NewBlock> {
  const blocks = new Map<number, NewBlock>();
  for (const layer of shape.layers) {
    if (blocks.has(layer.source)) continue;
    const layout = blockLayout(shape, layer, weights);
    blocks.set(layer.source, { layout, keys: blockKeys(layout, weights) });
  }
  return blocks;
}

/** Stored bytes that a view uploads: of the tables that are missing, and of the blocks that only it uses. */
function uploadBytes({ weights }: ModelView, missing: ReturnType<typeof modelRoles>, blocks: ViewBlocks): number {
  const size = ({ begin, end }: TensorRef): number => end - begin;
  const tables = missing.map((role) => size(weights.modelTensor(role)));
  const own = [...blocks.blocks].filter(({ users }) => users.size === 1);
  const tensors = own.flatMap(({ layout: { shape } }) =>
    layerRoles(shape).map((role) => size(weights.layerTensor(role, shape.source))),
  );
  return [...tables, ...tensors].reduce((a, b) => a + b, 0);
}
