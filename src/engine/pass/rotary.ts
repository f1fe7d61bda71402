/** @file The rotary embedding on the GPU, with its tables of cosines and sines. */
import { type LayerShape, ropeOf } from '../../model/shape';
import { rotaryTable } from '../../numerics/rope';
import { rope } from '../kernels/rope';
import { type PassParts, type RopeTables, type Sequences, touch } from './parts';

/** The heads that are rotated, and the direction. */
export interface Rotation {
  /** −1 rotates back, as a gradient needs; 1 unless given. */
  readonly direction?: 1 | -1;
  /** Position of the first row of each sequence; 0 unless given. */
  readonly first?: number;
}

type RotaryParts = Pick<PassParts, 'buffers' | 'queue' | 'ropeTables' | 'shape'>;

export class Rotary {
  readonly #parts: RotaryParts;
  readonly #tables: RopeTables;

  constructor(parts: RotaryParts) {
    this.#parts = parts;
    this.#tables = parts.ropeTables ?? new Map();
  }

  /** Rotates the queries and keys of qkv by their positions, in place. */
  async rotate(
    layer: LayerShape,
    qkv: GPUBuffer,
    { rows, seqLen }: Sequences,
    { direction = 1, first = 0 }: Rotation = {},
  ): Promise<void> {
    const { heads, kvHeads, headDim } = layer;
    const width = (heads + 2 * kvHeads) * headDim;
    const table = await this.#tableOf(layer, first + seqLen);
    const params = { rows, seqLen, heads: heads + kvHeads, headDim, width, direction, first };
    await this.#parts.queue.launch(rope, { table, qkv }, params, rows * width * touch);
  }

  /** A table of at least so many positions, kept for the engine's life: launches under way may still read a shorter one. */
  async #tableOf(layer: LayerShape, seqLen: number): Promise<GPUBuffer> {
    const { buffers, queue, shape } = this.#parts;
    const embedding = ropeOf(shape, layer);
    const key = `${layer.headDim} ${JSON.stringify(embedding)}`;
    const known = this.#tables.get(key);
    if (known !== undefined && known.positions >= seqLen) return known.table;
    const positions = 2 ** Math.ceil(Math.log2(Math.max(seqLen, 128)));
    const values = Float32Array.from(rotaryTable(embedding, layer.headDim, positions));
    const table = await buffers.allocate(values.byteLength, 'rope table');
    await queue.write(table, values);
    this.#tables.set(key, { positions, table });
    return table;
  }
}
