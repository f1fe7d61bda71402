/**
 * @file The backward pass on the GPU, block by block, for rows that are whole sequences.
 *
 * The gradient of the residual stream lies in one buffer [rows, hidden] and is carried from behind a block to before it
 * in place. What a block needs of its forward pass is a Tape: kept by the forward pass where there is room, else recorded
 * anew from the block's input. Gradients of weights go to a sink, product by product; here none is ever stored.
 */
import type { LayerRole, LayerShape, ModelShape } from '../../model/shape';
import type { Buffers } from '../gpu/buffers';
import type { CommandQueue } from '../gpu/commandQueue';
import type { Kernel } from '../gpu/kernel';
import { attentionTasks, seenPairs, windowIn } from '../kernels/attention';
import { attentionBackward } from '../kernels/attentionBackward';
import { gatedMlp } from '../kernels/gatedMlp';
import { headGradient } from '../kernels/headGradient';
import { headNormBackward } from '../kernels/headNormBackward';
import type { KernelChoice } from '../kernels/kernelChoice';
import { linear } from '../kernels/linear';
import { linearInputGradient } from '../kernels/linearInputGradient';
import { rmsnormBackward } from '../kernels/rmsnormBackward';
import { normGroups } from '../weights/blockLayout';
import type { GpuMatrix } from '../weights/gpuWeights';
import type { ModelWeights } from '../weights/modelWeights';
import { type Forward, type InputTap, scoreCost, touch } from './forward';
import type { EngineParts } from './runtime';
import { chunkRows, chunksOf, type LossRows, logitGradients } from './vocabularyChunks';

/** A weight's gradient as a product: dYᵀ · x over `rows` rows, for weight rows from weightFirst. */
export interface WeightMatmul {
  readonly matrix: GpuMatrix;
  /** First row of the role within the matrix, and how many it has. */
  readonly weightFirst: number;
  readonly cols: number;
  /** [rows, matrix.inner] */
  readonly x: GPUBuffer;
  /** [rows, stride]; the role's columns begin at yFirst. */
  readonly dY: GPUBuffer;
  readonly stride: number;
  readonly yFirst: number;
  readonly rows: number;
}

/** A norm's gradient as a product: Σ_rows dY ⊙ x · rstd. x and dY [rows, hidden], rstd [rows]. */
export interface NormProduct {
  readonly weight: GPUBuffer;
  readonly x: GPUBuffer;
  readonly dY: GPUBuffer;
  readonly rstd: GPUBuffer;
  readonly rows: number;
}

/** A norm over `hidden`. */
export type NormRole = 'attnNorm' | 'postAttnNorm' | 'mlpNorm' | 'postMlpNorm' | 'finalNorm';

/**
 * The gradient of the weight that the heads of queries or of keys are normed with: Σ_rows,heads dY ⊙ x · rstd. Where all
 * channels of a token are normed as one, they are one head.
 */
export interface HeadNormProduct {
  /** The role's headDim elements begin at weightFirst. */
  readonly weight: GPUBuffer;
  readonly weightFirst: number;
  /** x and dY [rows, width]: the role's heads begin at column `first`. */
  readonly x: GPUBuffer;
  readonly dY: GPUBuffer;
  readonly width: number;
  readonly first: number;
  readonly heads: number;
  readonly headDim: number;
  /** [rows, rstdStride]: the role's heads begin at rstdFirst. */
  readonly rstd: GPUBuffer;
  readonly rstdStride: number;
  readonly rstdFirst: number;
  readonly rows: number;
}

/** Who wants gradients of weights. Nobody wants those of biases. The buffers hold what the product says until the call returns. */
export interface GradientSink {
  weight(role: LayerRole, matmul: WeightMatmul): Promise<void>;
  norm(role: NormRole, matmul: NormProduct): Promise<void>;
  headNorm(role: 'qNorm' | 'kNorm', matmul: HeadNormProduct): Promise<void>;
}

/** What the backward pass of a block reads of its forward pass: taken buffers. */
export interface Tape {
  /**
   * What the projections read (the normed input), the projections, and the attention with its log-sum-exp. Null for a layer without heads. Queries and
   * keys are turned, except where the layer norms them: then the way back needs them as they were before that, and norms and
   * turns them again, which costs little.
   */
  readonly attention: Record<'x' | 'qkv' | 'mixed' | 'lse', GPUBuffer> | null;
  /** The stream between the sub-blocks, what the projections make of it, normed or not, and gate and up [rows, 2·ffn]. Null for a layer without neurons. */
  readonly mlp: Record<'input' | 'x' | 'gateUp', GPUBuffer> | null;
}

/** Sequences that go through a block together. */
export interface Sequences {
  readonly rows: number;
  readonly seqLen: number;
}

export class Backward {
  readonly #parts: EngineParts;
  readonly #buffers: Buffers;
  readonly #queue: CommandQueue;
  readonly #shape: ModelShape;
  readonly #weights: ModelWeights;
  readonly #forward: Forward;
  readonly #choice: KernelChoice;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#buffers = parts.buffers;
    this.#queue = parts.queue;
    this.#shape = parts.shape;
    this.#weights = parts.weights;
    this.#forward = parts.forward;
    this.#choice = parts.choice;
  }

  /** Every kernel that the backward pass needs beyond those of the forward pass, to be compiled side by side. */
  kernels(): ReadonlySet<Kernel> {
    const choice = this.#choice;
    const { logitSoftcap, normOffset } = this.#shape;
    const kernels = new Set<Kernel>([rmsnormBackward(normOffset)]);
    for (const { dtype, inner, rows: cols } of this.#weights.head) {
      const sizes = { dtype, inner, cols };
      for (const tile of choice.tiles('headGradient', sizes)) kernels.add(headGradient(dtype, tile, logitSoftcap));
      for (const tile of choice.backTiles('linearInputGradient', sizes, [inner])) {
        kernels.add(linearInputGradient(dtype, tile));
      }
    }
    for (const { shape, attention, mlp } of this.#weights.blocks.layouts.values()) {
      if (attention !== null) {
        const { query, key } = attentionBackward(shape.headDim, false, shape.scoreSoftcap);
        for (const kernel of [query, key]) kernels.add(kernel);
      }
      if (attention?.headNorms) kernels.add(headNormBackward(normOffset));
      const { gated, backward } = gatedMlp(shape);
      if (mlp !== null) for (const kernel of [gated, backward]) kernels.add(kernel);
      for (const matrix of [attention?.qkv, attention?.out, mlp?.gateUp, mlp?.down]) {
        if (matrix === undefined) continue;
        const { dtype, inner, rows: cols } = matrix;
        const sizes = { dtype, inner, cols };
        for (const tile of choice.backTiles('linearInputGradient', sizes, [inner, cols])) {
          kernels.add(linearInputGradient(dtype, tile));
        }
        if (matrix === mlp?.gateUp) for (const tile of choice.tiles('linear', sizes)) kernels.add(linear(dtype, tile));
      }
    }
    return kernels;
  }

  /** Bytes of a layer's tape for so many rows. */
  tapeBytes({ heads, kvHeads, headDim, ffn }: LayerShape, rows: number): number {
    const { hidden } = this.#shape;
    const attention = heads === 0 ? 0 : hidden + 2 * (heads + kvHeads) * headDim + heads;
    const mlp = ffn === 0 ? 0 : 2 * hidden + 2 * ffn;
    return rows * (attention + mlp) * 4;
  }

  /** The tape of a layer from its input [rows, hidden], which stays as it is. */
  async record(layer: LayerShape, input: GPUBuffer, { rows, seqLen }: Sequences): Promise<Tape> {
    const forward = this.#forward;
    const { attention, mlp } = await forward.weightsOf(layer);
    const streamBytes = rows * this.#shape.hidden * 4;
    let mixing: Tape['attention'] = null;
    if (layer.heads > 0) {
      const x = await forward.inputOf(attention!, { buffer: input, first: 0, count: rows });
      const qkv = await forward.projections(layer, x, rows);
      const rotated = attention!.headNorms === null ? qkv : await this.#copyOf(qkv, rows * attention!.qkv.rows);
      await forward.normalizeAndRotate(layer, rotated, rows, seqLen);
      mixing = { x, qkv, ...(await forward.mix(layer, rotated, rows, seqLen)) };
      if (rotated !== qkv) this.#buffers.release(rotated);
    }
    if (layer.ffn === 0) return { attention: mixing, mlp: null };
    const between = await this.#buffers.acquire(streamBytes, 'stream between sub-blocks');
    this.#queue.copy(input, 0, between, 0, streamBytes);
    if (mixing !== null) {
      await forward.attentionOutput(attention!, mixing.mixed, { buffer: between, first: 0, count: rows });
    }
    const x = await forward.inputOf(mlp!, { buffer: between, first: 0, count: rows });
    const gateUp = await forward.gateAndUp(mlp!, x, rows);
    return { attention: mixing, mlp: { input: between, x, gateUp } };
  }

  /** hidden [rows, hidden]: from the layer's input to its output, by what its tape holds already. */
  async advance(layer: LayerShape, tape: Tape, hidden: GPUBuffer, { rows }: Sequences, tap?: InputTap): Promise<void> {
    const { attention, mlp } = await this.#forward.weightsOf(layer);
    if (tape.attention !== null) await tap?.('oProj', tape.attention.mixed, 0, rows);
    if (tape.mlp === null) {
      if (tape.attention === null) return;
      await this.#forward.attentionOutput(attention!, tape.attention.mixed, { buffer: hidden, first: 0, count: rows });
      return;
    }
    this.#queue.copy(tape.mlp.input, 0, hidden, 0, rows * this.#shape.hidden * 4);
    const y = await this.#activated(layer, tape.mlp.gateUp, rows);
    await tap?.('downProj', y, 0, rows);
    await this.#forward.mlpOutput(mlp!, y, { buffer: hidden, first: 0, count: rows });
    this.#buffers.release(y);
  }

  /** A taken buffer [rows, ffn]: activation(gate) ⊙ up. */
  async #activated(layer: LayerShape, gateUp: GPUBuffer, rows: number): Promise<GPUBuffer> {
    const { ffn } = layer;
    const y = await this.#take(rows * ffn, 'mlp');
    await this.#queue.launch(gatedMlp(layer).gated, { gateUp, y }, { rows, ffn }, rows * ffn * touch);
    return y;
  }

  /** Returns a tape's buffers to the pool. */
  release({ attention, mlp }: Tape): void {
    for (const buffer of [...Object.values(attention ?? {}), ...Object.values(mlp ?? {})])
      this.#buffers.release(buffer);
  }

  /** A taken buffer [rows, hidden] with the gradient of the residual stream `hidden` behind the last block. */
  async head(hidden: GPUBuffer, loss: LossRows, sink: GradientSink): Promise<GPUBuffer> {
    const { hidden: inner } = this.#shape;
    const { rows, targets, lse } = loss;
    const weight = this.#weights.finalNorm;
    const nll = await this.#take(rows, 'nll');
    await this.#forward.nll({ buffer: hidden, first: 0, count: rows }, targets, nll, 0, lse);
    this.#buffers.release(nll);

    const x = await this.#forward.norm(weight, { buffer: hidden, first: 0, count: rows });
    const dX = await this.#take(rows * inner, 'gradient behind the final norm');
    const chunks = [...chunksOf(this.#weights.head, chunkRows(rows, this.#parts.logitBytes))];
    const dLogits = await this.#take(rows * Math.max(...chunks.map(({ stride }) => stride)), 'gradients of logits');
    for (const [index, chunk] of chunks.entries()) {
      const { part, weightFirst, cols, stride } = chunk;
      const flops = 2 * inner * cols;
      for (const piece of this.#forward.pieces(rows, flops)) {
        await logitGradients(this.#parts, chunk, x, loss, piece, dLogits);
        const { first, count } = piece;
        const sizes = { dtype: part.dtype, rows: count, inner, cols };
        await this.#queue.launch(
          linearInputGradient(part.dtype, this.#choice.backTile('linearInputGradient', sizes, [inner])),
          { weight: part.buffer, dY: dLogits, dX },
          { rows: count, first, cols, stride, weightFirst, inner, accumulate: index > 0 ? 1 : 0 },
          count * flops,
        );
      }
    }
    for (const used of [x, dLogits]) this.#buffers.release(used);
    const dHidden = await this.#take(rows * inner, 'gradient of the stream');
    await this.#normBackward('finalNorm', weight, hidden, dX, dHidden, rows, false, sink);
    this.#buffers.release(dX);
    return dHidden;
  }

  /**
   * dHidden [rows, hidden]: from the gradient behind the layer to the one before it, in place. `input` is the layer's
   * input; the tape is used up.
   */
  async block(
    layer: LayerShape,
    input: GPUBuffer,
    tape: Tape,
    dHidden: GPUBuffer,
    sequences: Sequences,
    sink: GradientSink,
  ): Promise<void> {
    if (tape.mlp !== null) await this.#mlp(layer, tape.mlp, dHidden, sequences.rows, sink);
    if (tape.attention !== null) await this.#attention(layer, input, tape.attention, dHidden, sequences, sink);
    this.release(tape);
  }

  /** dHidden += the gradient through norm, gate, up and down, and a norm of the output. */
  async #mlp(
    layer: LayerShape,
    { input, x, gateUp }: NonNullable<Tape['mlp']>,
    dHidden: GPUBuffer,
    rows: number,
    sink: GradientSink,
  ): Promise<void> {
    const { ffn } = layer;
    const { hidden } = this.#shape;
    const weights = (await this.#forward.weightsOf(layer)).mlp!;
    const dOut = await this.#outputGradient('postMlpNorm', weights.postNorm, dHidden, rows, sink, async (out) => {
      const activated = await this.#activated(layer, gateUp, rows);
      await this.#forward.mlpMatmul(weights, activated, { buffer: out, first: 0, count: rows }, false);
      this.#buffers.release(activated);
    });
    const y = await this.#take(rows * ffn, 'mlp');
    await this.#inputGradient(weights.down, dOut, y, rows);
    await this.#queue.launch(gatedMlp(layer).backward, { gateUp, y }, { rows, ffn }, rows * ffn * touch);
    const down = { matrix: weights.down, weightFirst: 0, cols: hidden, x: y, dY: dOut, stride: hidden, yFirst: 0 };
    await sink.weight('downProj', { ...down, rows });
    this.#buffers.release(y);
    if (dOut !== dHidden) this.#buffers.release(dOut);

    const gates = { matrix: weights.gateUp, cols: ffn, x, dY: gateUp, stride: 2 * ffn, rows };
    await sink.weight('gateProj', { ...gates, weightFirst: 0, yFirst: 0 });
    await sink.weight('upProj', { ...gates, weightFirst: ffn, yFirst: ffn });
    await this.#subBlockGradient('mlpNorm', weights.norm, weights.gateUp, gateUp, { input, x }, dHidden, rows, sink);
  }

  /**
   * dHidden += the gradient through norm, queries, keys, values, attention, oProj and a norm of the output; biases pass it on as
   * it is.
   */
  async #attention(
    layer: LayerShape,
    input: GPUBuffer,
    { x, qkv, mixed, lse }: NonNullable<Tape['attention']>,
    dHidden: GPUBuffer,
    { rows, seqLen }: Sequences,
    sink: GradientSink,
  ): Promise<void> {
    const { hidden } = this.#shape;
    const weights = (await this.#forward.weightsOf(layer)).attention!;
    const dOut = await this.#outputGradient('postAttnNorm', weights.postNorm, dHidden, rows, sink, (y) =>
      this.#forward.attentionMatmul(weights, mixed, { buffer: y, first: 0, count: rows }, false),
    );
    const out = { matrix: weights.out, weightFirst: 0, cols: hidden, x: mixed, dY: dOut, stride: hidden, yFirst: 0 };
    await sink.weight('oProj', { ...out, rows });
    const dMixed = await this.#take(rows * weights.out.inner, 'gradient of attention');
    await this.#inputGradient(weights.out, dOut, dMixed, rows);
    if (dOut !== dHidden) this.#buffers.release(dOut);
    let rotated = qkv;
    if (weights.headNorms !== null) {
      rotated = await this.#copyOf(qkv, rows * weights.qkv.rows);
      await this.#forward.normalizeAndRotate(layer, rotated, rows, seqLen);
    }
    let dQkv = await this.#take(rows * weights.qkv.rows, 'gradient of qkv');
    await this.#mixBackward(layer, { qkv: rotated, y: mixed, lse, dY: dMixed, dQkv }, rows, seqLen);
    this.#buffers.release(dMixed);
    await this.#forward.turn(layer, dQkv, rows, seqLen, -1);
    if (weights.headNorms !== null) {
      // The turned projections have served: the gradient of those before the norms may lie in their place.
      await this.#headNormsBackward(layer, weights.headNorms, { x: qkv, dY: dQkv, dX: rotated }, rows, sink);
      this.#buffers.release(dQkv);
      dQkv = rotated;
    }

    const [q, kv] = [layer.heads * layer.headDim, layer.kvHeads * layer.headDim];
    const parts = [
      ['qProj', 0, q],
      ['kProj', q, kv],
      ['vProj', q + kv, kv],
    ] as const;
    for (const [role, first, cols] of parts) {
      const place = { weightFirst: first, yFirst: first, cols };
      await sink.weight(role, { matrix: weights.qkv, x, dY: dQkv, stride: weights.qkv.rows, rows, ...place });
    }
    await this.#subBlockGradient('attnNorm', weights.norm, weights.qkv, dQkv, { input, x }, dHidden, rows, sink);
    this.#buffers.release(dQkv);
  }

  /**
   * The gradient [rows, hidden] of a sub-block's output: dHidden itself, or a taken buffer with what comes back through the norm
   * of that output, which `product` makes anew: it costs a product, but the tape no memory.
   */
  async #outputGradient(
    role: 'postAttnNorm' | 'postMlpNorm',
    weight: GPUBuffer | null,
    dHidden: GPUBuffer,
    rows: number,
    sink: GradientSink,
    matmul: (out: GPUBuffer) => Promise<void>,
  ): Promise<GPUBuffer> {
    if (weight === null) return dHidden;
    const { hidden } = this.#shape;
    const out = await this.#take(rows * hidden, 'output before its norm');
    await matmul(out);
    const dOut = await this.#take(rows * hidden, 'gradient of an output');
    await this.#normBackward(role, weight, out, dHidden, dOut, rows, false, sink);
    this.#buffers.release(out);
    return dOut;
  }

  /** dHidden += dY · matrix, by way of the norm of the input if there is one; x, what the matrix reads, is used up. */
  async #subBlockGradient(
    role: 'attnNorm' | 'mlpNorm',
    weight: GPUBuffer | null,
    matrix: GpuMatrix,
    dY: GPUBuffer,
    { input, x }: Record<'input' | 'x', GPUBuffer>,
    dHidden: GPUBuffer,
    rows: number,
    sink: GradientSink,
  ): Promise<void> {
    if (weight === null) {
      await this.#inputGradient(matrix, dY, dHidden, rows, true);
      return;
    }
    // The normed rows have served: their gradient may lie in their place.
    await this.#inputGradient(matrix, dY, x, rows);
    await this.#normBackward(role, weight, input, x, dHidden, rows, true, sink);
  }

  /** dQkv from dY, the gradient of the attention y; queries before keys, which read what the first leaves in delta. */
  async #mixBackward(
    layer: LayerShape,
    buffers: Record<'qkv' | 'y' | 'lse' | 'dY' | 'dQkv', GPUBuffer>,
    rows: number,
    seqLen: number,
  ): Promise<void> {
    const { heads, kvHeads, headDim, attnScale: scale = 1 / Math.sqrt(headDim), scoreSoftcap } = layer;
    const sequences = rows / seqLen;
    const window = windowIn(layer, seqLen);
    const delta = await this.#take(rows * heads, 'attention delta');
    const sizes = { sequences, seqLen, heads, kvHeads, headDim, scale, window };
    const { query, key } = attentionBackward(headDim, window < seqLen, scoreSoftcap);
    // As in the forward pass: four rows times those that they see, by two products over headDim and one or two by 16 channels.
    const pairFlops = 4 * (seenPairs(seqLen, window) / seqLen + 4) * 2 * scoreCost;
    const queryFlops = pairFlops * (2 * headDim + 16);
    for (const { first, count } of this.#forward.pieces(
      attentionTasks(sequences, seqLen, heads, headDim),
      queryFlops,
    )) {
      const params = { ...sizes, taskFirst: first, tasks: count };
      await this.#queue.launch(query, { ...buffers, delta }, params, count * queryFlops);
    }
    const keyFlops = pairFlops * (2 * headDim + 32) * (heads / kvHeads);
    for (const { first, count } of this.#forward.pieces(
      attentionTasks(sequences, seqLen, kvHeads, headDim),
      keyFlops,
    )) {
      const params = { ...sizes, taskFirst: first, tasks: count };
      await this.#queue.launch(key, { ...buffers, delta }, params, count * keyFlops);
    }
    this.#buffers.release(delta);
  }

  /** dX from dY, both [rows, qkv]: through the norms of queries and keys, whose own gradients go to the sink; values pass. */
  async #headNormsBackward(
    layer: LayerShape,
    weight: GPUBuffer,
    { x, dY, dX }: Record<'x' | 'dY' | 'dX', GPUBuffer>,
    rows: number,
    sink: GradientSink,
  ): Promise<void> {
    const { normEps: eps, normOffset } = this.#shape;
    const width = (layer.heads + 2 * layer.kvHeads) * layer.headDim;
    const groups = normGroups(layer);
    const { queryHeads, keyHeads, queryDim, keyDim } = groups;
    const rstdStride = queryHeads + keyHeads;
    const rstd = await this.#take(rows * rstdStride, 'inverse root mean squares of heads');
    await this.#queue.launch(
      headNormBackward(normOffset),
      { weight, x, dY, dX, rstd },
      { rows, width, ...groups, eps },
      rows * width * touch,
    );
    const common = { weight, x, dY, width, rstd, rstdStride, rows };
    const queries = { weightFirst: 0, first: 0, heads: queryHeads, headDim: queryDim, rstdFirst: 0 };
    await sink.headNorm('qNorm', { ...common, ...queries });
    const keys = { weightFirst: queryDim, first: queryHeads * queryDim, heads: keyHeads, headDim: keyDim };
    await sink.headNorm('kNorm', { ...common, ...keys, rstdFirst: queryHeads });
    this.#buffers.release(rstd);
  }

  /** A taken buffer with the same elements. */
  async #copyOf(buffer: GPUBuffer, elements: number): Promise<GPUBuffer> {
    const copy = await this.#take(elements, 'qkv');
    this.#queue.copy(buffer, 0, copy, 0, elements * 4);
    return copy;
  }

  /** dX[rows, inner] (+)= dY[rows, matrix.rows] · matrix */
  async #inputGradient(
    matrix: GpuMatrix,
    dY: GPUBuffer,
    dX: GPUBuffer,
    rows: number,
    accumulate = false,
  ): Promise<void> {
    const { buffer: weight, dtype, inner, rows: cols } = matrix;
    const flops = 2 * inner * cols;
    for (const { first, count } of this.#forward.pieces(rows, flops)) {
      const sizes = { dtype, rows: count, inner, cols };
      const kernel = linearInputGradient(dtype, this.#choice.backTile('linearInputGradient', sizes, [inner, cols]));
      const params = { rows: count, first, cols, stride: cols, weightFirst: 0, inner, accumulate: accumulate ? 1 : 0 };
      await this.#queue.launch(kernel, { weight, dY, dX }, params, count * flops);
    }
  }

  /** dX (+)= the gradient of the norm's input x, and the norm's own to the sink. */
  async #normBackward(
    role: NormRole,
    weight: GPUBuffer,
    x: GPUBuffer,
    dY: GPUBuffer,
    dX: GPUBuffer,
    rows: number,
    accumulate: boolean,
    sink: GradientSink,
  ): Promise<void> {
    const { hidden, normEps, normOffset } = this.#shape;
    const rstd = await this.#take(rows, 'inverse root mean squares');
    await this.#queue.launch(
      rmsnormBackward(normOffset),
      { weight, x, dY, dX, rstd },
      { rows, hidden, eps: normEps, accumulate: accumulate ? 1 : 0 },
      rows * hidden * touch,
    );
    await sink.norm(role, { weight, x, dY, rstd, rows });
    this.#buffers.release(rstd);
  }

  #take(elements: number, label: string): Promise<GPUBuffer> {
    return this.#buffers.acquire(elements * 4, label);
  }
}
