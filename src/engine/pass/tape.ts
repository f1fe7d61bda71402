/**
 * @file Tapes: the buffers of a block's forward pass that its backward pass reads.
 *
 * The forward pass keeps a block's tape if memory allows. If not, the backward pass records it again from the block's input.
 */
import type { LayerShape, ModelShape } from '../../model/shape';
import { attentionOutput, mix, projectQkv } from './attention';
import type { InputTap } from './forwardHook';
import { gate, mlpOutput, projectGateUp } from './mlp';
import { inputOf } from './norms';
import type { Sequences } from './parts';
import type { EngineParts } from './runtime';

/** Acquired buffers with activations of one block. */
export interface Tape {
  /**
   * The input of the projections, the projections, and the attention with its log-sum-exp; null for a layer without heads. Queries
   * and keys are rotated, unless the layer normalizes them: then the backward pass needs them as they were before, and normalizes
   * and rotates them again, which costs little.
   */
  readonly attention: Record<'x' | 'qkv' | 'mixed' | 'lse', GPUBuffer> | null;
  /**
   * The stream between the sub-blocks, the input of the projections, and gate and up [rows, 2·ffn]; null for a layer without
   * neurons.
   */
  readonly mlp: Record<'input' | 'x' | 'gateUp', GPUBuffer> | null;
}

/** Bytes of a layer's tape for so many rows. */
export function tapeBytes(
  { hidden }: Pick<ModelShape, 'hidden'>,
  { heads, kvHeads, headDim, ffn }: LayerShape,
  rows: number,
): number {
  const attention = heads === 0 ? 0 : hidden + 2 * (heads + kvHeads) * headDim + heads;
  const mlp = ffn === 0 ? 0 : 2 * hidden + 2 * ffn;
  return rows * (attention + mlp) * 4;
}

/** Records the tapes of blocks, and reads a block's output from one. */
export class Tapes {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** The tape of a layer from its input [rows, hidden], which stays as it is. */
  async record(layer: LayerShape, input: GPUBuffer, sequences: Sequences): Promise<Tape> {
    const { buffers, forward, queue, shape } = this.#parts;
    const { rows } = sequences;
    const { attention, mlp } = await forward.weightsOf(layer);
    const streamBytes = rows * shape.hidden * 4;
    let mixing: Tape['attention'] = null;
    if (layer.heads > 0) {
      const weights = attention!;
      const x = await inputOf(this.#parts, weights.norm, { buffer: input, first: 0, count: rows });
      const qkv = await projectQkv(this.#parts, weights, x, rows);
      const rotated =
        weights.headNorms === null ? qkv : await copyOf(this.#parts, qkv, rows * weights.qkv.matrix.rows * 4);
      await forward.normalizeAndRotate(layer, weights, rotated, sequences);
      mixing = { x, qkv, ...(await mix(this.#parts, layer, rotated, sequences)) };
      if (rotated !== qkv) buffers.release(rotated);
    }
    if (layer.ffn === 0) return { attention: mixing, mlp: null };
    const between = await buffers.acquire(streamBytes, 'stream between sub-blocks');
    const stream = { buffer: between, first: 0, count: rows };
    queue.copy(input, 0, between, 0, streamBytes);
    if (mixing !== null) await attentionOutput(this.#parts, attention!, mixing.mixed, stream);
    const x = await inputOf(this.#parts, mlp!.norm, stream);
    const gateUp = await projectGateUp(this.#parts, mlp!, x, rows);
    return { attention: mixing, mlp: { input: between, x, gateUp } };
  }

  /** hidden [rows, hidden]: from the layer's input to its output, with the matmuls that its tape holds already. */
  async advance(layer: LayerShape, tape: Tape, hidden: GPUBuffer, rows: number, tap?: InputTap): Promise<void> {
    const { buffers, forward, queue, shape } = this.#parts;
    const { attention, mlp } = await forward.weightsOf(layer);
    const stream = { buffer: hidden, first: 0, count: rows };
    if (tape.attention !== null) await tap?.('oProj', tape.attention.mixed, 0, rows);
    if (tape.mlp === null) {
      if (tape.attention !== null) await attentionOutput(this.#parts, attention!, tape.attention.mixed, stream);
      return;
    }
    queue.copy(tape.mlp.input, 0, hidden, 0, rows * shape.hidden * 4);
    const y = await activatedOf(this.#parts, layer, tape.mlp.gateUp, rows);
    await tap?.('downProj', y, 0, rows);
    await mlpOutput(this.#parts, mlp!, y, stream);
    buffers.release(y);
  }

  /** Returns a tape's buffers to the pool. */
  release({ attention, mlp }: Tape): void {
    const all = [...Object.values(attention ?? {}), ...Object.values(mlp ?? {})];
    for (const buffer of all) this.#parts.buffers.release(buffer);
  }
}

/** An acquired buffer [rows, ffn]: activation(gate) ⊙ up. */
export async function activatedOf(
  parts: EngineParts,
  layer: LayerShape,
  gateUp: GPUBuffer,
  rows: number,
): Promise<GPUBuffer> {
  const y = await parts.buffers.acquire(rows * layer.ffn * 4, 'mlp');
  await gate(parts, layer, gateUp, y, rows);
  return y;
}

/** An acquired buffer with the same bytes. */
export async function copyOf({ buffers, queue }: EngineParts, buffer: GPUBuffer, bytes: number): Promise<GPUBuffer> {
  const copy = await buffers.acquire(bytes, 'qkv');
  queue.copy(buffer, 0, copy, 0, bytes);
  return copy;
}
