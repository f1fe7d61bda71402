/**
 * @file Keys and values of a text so far, by layer, on the GPU. The attention of a new token reads them.
 *
 * A layer's cache is one buffer [slots, 2·kvHeads·headDim] of float32: keys, then values; position p has slot p % slots. Where
 * no query looks back further than a sliding window, there are only as many slots as the window and one step take. Others
 * grow by doubling, up to the longest text that was asked for.
 */
import type { LayerShape } from '../../model/shape';
import type { Buffers } from '../gpu/buffers';
import type { CommandQueue } from '../gpu/commandQueue';

/** Positions that a cache begins with. */
const firstPositions = 256;

/** One layer's keys and values. */
export interface LayerCache {
  readonly buffer: GPUBuffer;
  readonly slots: number;
}

export class TextCache {
  /** Tokens whose keys and values are there. */
  filled = 0;
  readonly #layers: readonly LayerShape[];
  readonly #positions: number;
  readonly #stepRows: number;
  readonly #bindingBytes: number;
  readonly #caches = new Map<number, LayerCache>();
  #buffers: Buffers | null = null;

  /**
   * @param layers those of the model that writes; a layer without heads has no cache
   * @param positions tokens of the longest text
   * @param stepRows tokens that are appended at once, at most
   * @param bindingBytes largest buffer that a kernel can bind
   */
  constructor(layers: readonly LayerShape[], positions: number, stepRows: number, bindingBytes: number) {
    this.#layers = layers;
    this.#positions = positions;
    this.#stepRows = stepRows;
    this.#bindingBytes = bindingBytes;
  }

  /** The cache of a layer of the list. */
  of(index: number): LayerCache {
    const cache = this.#caches.get(index);
    if (cache === undefined) throw new RangeError(`layer ${index}: its cache was not reserved`);
    return cache;
  }

  /** Makes room for `count` tokens in all; keys and values so far stay. Rejects with 'out-of-memory' or 'unsupported-limit'. */
  async reserve(count: number, buffers: Buffers, queue: CommandQueue): Promise<void> {
    this.#buffers = buffers;
    for (const [index, layer] of this.#layers.entries()) {
      if (layer.heads === 0) continue;
      const old = this.#caches.get(index);
      // Beyond the window and the tokens of a step no query sees a key any more: others take their slots.
      const most = layer.window === undefined ? this.#positions : layer.window - 1 + this.#stepRows;
      if (old !== undefined && old.slots >= Math.min(count, most)) continue;
      const rowBytes = 2 * layer.kvHeads * layer.headDim * 4;
      const bindable = Math.max(count, Math.floor(this.#bindingBytes / rowBytes));
      const wished = Math.max(count, Math.min(2 * (old?.slots ?? firstPositions / 2), this.#positions, bindable));
      const slots = Math.min(wished, most);
      const buffer = await buffers.allocate(slots * rowBytes, 'keys and values');
      if (old !== undefined) {
        // It grew before its slots were taken a second time, so that every position keeps its slot.
        queue.copy(old.buffer, 0, buffer, 0, Math.min(old.slots, this.filled) * rowBytes);
        await queue.submit();
        buffers.free(old.buffer);
      }
      this.#caches.set(index, { buffer, slots });
    }
  }

  /** Frees all buffers. */
  free(): void {
    for (const { buffer } of this.#caches.values()) this.#buffers?.free(buffer);
    this.#caches.clear();
  }
}
