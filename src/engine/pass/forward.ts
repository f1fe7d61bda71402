/**
 * @file The forward pass on the GPU, on any rows of a residual stream.
 *
 * The stream `hidden` [·, hidden] lies in one buffer and may hold many batches and variants behind one another; every
 * step names the rows that it works on. Steps cut their rows into slices, so that activations stay small, and
 * slices into launches that stay short.
 */
import { LabError } from '../../errors';
import { type LayerShape, type ModelShape, ropeOf } from '../../model/shape';
import { rotaryTable } from '../../numerics/rope';
import { softcap } from '../../numerics/softcap';
import type { Buffers } from '../gpu/buffers';
import type { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import type { Kernel } from '../gpu/kernel';
import { addNormalized } from '../kernels/addNormalized';
import { attention, attentionTasks, seenPairs, windowIn } from '../kernels/attention';
import { bias } from '../kernels/bias';
import { combinePartials } from '../kernels/combinePartials';
import { embedding } from '../kernels/embedding';
import { gatedMlp } from '../kernels/gatedMlp';
import { headNorm } from '../kernels/headNorm';
import { chunkColumns, headPartials } from '../kernels/headPartials';
import type { KernelChoice } from '../kernels/kernelChoice';
import { linear } from '../kernels/linear';
import { linearRow } from '../kernels/linearRow';
import { rmsnorm } from '../kernels/rmsnorm';
import { rope } from '../kernels/rope';
import { type MatrixLayout, normGroups } from '../weights/blockLayout';
import type { BlockReader } from '../weights/blockReader';
import type { AttentionWeights, BlockWeights, GpuBias, GpuMatrix, MlpWeights } from '../weights/gpuWeights';
import type { ModelWeights } from '../weights/modelWeights';

/** What a pass over the model works with. */
export interface PassParts {
  readonly context: GpuContext;
  readonly shape: ModelShape;
  readonly buffers: Buffers;
  readonly queue: CommandQueue;
  readonly weights: ModelWeights;
  /** The way over the blocks' weights. */
  readonly blocks: BlockReader;
  readonly choice: KernelChoice;
  /** Tables that other passes have made on the same queue; of its own unless given. */
  readonly ropeTables?: RopeTables;
}

/** Cosines and sines, by head size and rotary embedding. */
export type RopeTables = Map<string, { positions: number; table: GPUBuffer }>;

/** Rows of a buffer. */
export interface Rows {
  readonly buffer: GPUBuffer;
  readonly first: number;
  readonly count: number;
}

/** Hears on the way what oProj or downProj multiplies: x [count, inner], for the rows from `first` on of those that pass. */
export type InputTap = (role: TappedRole, x: GPUBuffer, first: number, count: number) => Promise<void>;
export type TappedRole = 'oProj' | 'downProj';

/** Rough operations per element of the kernels that only touch it. */
export const touch = 20;
/** An attention score costs more than its products: an exponential, masks, and loads that nothing shares. */
export const scoreCost = 3;

export class Forward {
  readonly #buffers: Buffers;
  readonly #queue: CommandQueue;
  readonly #shape: ModelShape;
  readonly #weights: ModelWeights;
  readonly #blocks: BlockReader;
  readonly #choice: KernelChoice;
  readonly #software: boolean;
  readonly #ropeTables: RopeTables;
  /** Rows of a slice. */
  readonly sliceRows: number;

  constructor({ context, buffers, queue, shape, weights, blocks, choice, ropeTables = new Map() }: PassParts) {
    this.#buffers = buffers;
    this.#queue = queue;
    this.#shape = shape;
    this.#weights = weights;
    this.#blocks = blocks;
    this.#choice = choice;
    this.#ropeTables = ropeTables;
    this.#software = context.info.software;
    const widths = shape.layers.map((layer) => Math.max((layer.heads + 2 * layer.kvHeads) * layer.headDim, layer.ffn));
    const widest = Math.max(shape.hidden, ...widths);
    const bytes = Math.min(context.device.limits.maxStorageBufferBindingSize, 2 ** 27);
    this.sliceRows = Math.max(16, Math.min(context.info.software ? 1024 : 4096, Math.floor(bytes / (4 * widest))));
  }

  /** Every kernel that the whole model needs: to be compiled side by side, rather than one after another at first use. */
  kernels(): ReadonlySet<Kernel> {
    const choice = this.#choice;
    const { logitSoftcap, normOffset } = this.#shape;
    const kernels = new Set<Kernel>([rmsnorm(normOffset), rope, combinePartials]);
    const sizesOf = ({ dtype, inner, rows }: MatrixLayout) => ({ dtype, inner, cols: rows });
    for (const part of this.#weights.embed) kernels.add(embedding[part.dtype]);
    for (const part of this.#weights.head) {
      for (const tile of choice.tiles('headPartials', sizesOf(part))) {
        kernels.add(headPartials(part.dtype, tile, logitSoftcap));
      }
    }
    for (const { shape, attention: mixing, mlp } of this.#weights.blocks.layouts.values()) {
      // In a window another record serves, compiled where a text is longer than the window: seldom.
      if (mixing !== null) kernels.add(attention(shape.headDim, false, shape.scoreSoftcap));
      if (mixing?.qkvBias || mixing?.outBias) kernels.add(bias);
      if (mixing?.headNorms) kernels.add(headNorm(normOffset));
      if (mixing?.postNorm || mlp?.postNorm) kernels.add(addNormalized(normOffset));
      if (mlp !== null) {
        const { fused } = gatedMlp(shape);
        for (const tile of choice.tiles('swiglu', sizesOf(mlp.gateUp))) kernels.add(fused(mlp.gateUp.dtype, tile));
      }
      for (const matrix of [mixing?.qkv, mixing?.out, mlp?.down]) {
        if (matrix === undefined) continue;
        for (const tile of choice.tiles('linear', sizesOf(matrix))) kernels.add(linear(matrix.dtype, tile));
      }
    }
    return kernels;
  }

  /** hidden rows from the embedding of as many tokens, scaled where the model does so. */
  async embed(tokens: GPUBuffer, hidden: Rows): Promise<void> {
    const { hidden: width, embedScale: scale = 1 } = this.#shape;
    for (const part of this.#weights.embed) {
      await this.#queue.launch(
        embedding[part.dtype],
        { weight: part.buffer, tokens, y: hidden.buffer },
        {
          rows: hidden.count,
          hidden: width,
          tokenFirst: 0,
          yFirst: hidden.first,
          vocabFirst: part.first,
          vocabRows: part.rows,
          scale,
        },
        hidden.count * width * touch,
      );
    }
  }

  /**
   * hidden += attention(norm(hidden)), then hidden += mlp(norm(hidden)), with norms of the outputs where the layer has those.
   * Rows are whole sequences of seqLen.
   */
  async block(layer: LayerShape, hidden: Rows, seqLen: number, tap?: InputTap): Promise<void> {
    await this.attention(layer, hidden, seqLen, tap);
    await this.mlp(layer, hidden, tap);
  }

  /** hidden += oProj(attention(norm(hidden))); nothing for a layer without heads. */
  async attention(layer: LayerShape, hidden: Rows, seqLen: number, tap?: InputTap): Promise<void> {
    if (layer.heads === 0) return;
    const weights = (await this.weightsOf(layer)).attention!;
    const slice = Math.max(1, Math.floor(this.sliceRows / seqLen)) * seqLen;
    for (let done = 0; done < hidden.count; done += slice) {
      const rows = Math.min(slice, hidden.count - done);
      const first = hidden.first + done;
      const x = await this.inputOf(weights, { buffer: hidden.buffer, first, count: rows });
      const qkv = await this.projections(layer, x, rows);
      this.#buffers.release(x);
      await this.normalizeAndRotate(layer, qkv, rows, seqLen);
      const { mixed, lse } = await this.mix(layer, qkv, rows, seqLen);
      this.#buffers.release(qkv);
      this.#buffers.release(lse);
      await tap?.('oProj', mixed, done, rows);
      await this.attentionOutput(weights, mixed, { buffer: hidden.buffer, first, count: rows });
      this.#buffers.release(mixed);
    }
  }

  /** hidden += the attention's output, normed first where the layer does so. */
  async attentionOutput(weights: AttentionWeights, mixed: GPUBuffer, hidden: Rows): Promise<void> {
    await this.#addOutput(weights.postNorm, hidden, (y, accumulate) =>
      this.attentionMatmul(weights, mixed, y, accumulate),
    );
  }

  /** y (+)= mixed · oProjᵀ, and the bias where the layer has one. */
  async attentionMatmul(
    { out, outBias }: AttentionWeights,
    mixed: GPUBuffer,
    y: Rows,
    accumulate: boolean,
  ): Promise<void> {
    await this.linear(out, mixed, y.buffer, y.count, y.first, accumulate);
    await this.#addBiases(outBias, y, out.rows);
  }

  /** hidden += activated · downProjᵀ, normed first where the layer does so. */
  async mlpOutput({ down, postNorm }: MlpWeights, activated: GPUBuffer, hidden: Rows): Promise<void> {
    await this.#addOutput(postNorm, hidden, (y, accumulate) =>
      this.linear(down, activated, y.buffer, y.count, y.first, accumulate),
    );
  }

  /** hidden += what `product` makes, by way of a norm if there is one. */
  async #addOutput(
    weight: GPUBuffer | null,
    hidden: Rows,
    matmul: (y: Rows, accumulate: boolean) => Promise<void>,
  ): Promise<void> {
    if (weight === null) return matmul(hidden, true);
    const { hidden: width, normEps: eps, normOffset } = this.#shape;
    const { buffer, first: yFirst, count: rows } = hidden;
    const x = await this.#buffers.acquire(rows * width * 4, 'output before its norm');
    await matmul({ buffer: x, first: 0, count: rows }, false);
    const params = { rows, hidden: width, eps, yFirst };
    await this.#queue.launch(addNormalized(normOffset), { weight, x, y: buffer }, params, rows * width * touch);
    this.#buffers.release(x);
  }

  /** hidden += downProj(activation(gate) ⊙ up) of norm(hidden); nothing for a layer without neurons. */
  async mlp(layer: LayerShape, hidden: Rows, tap?: InputTap): Promise<void> {
    if (layer.ffn === 0) return;
    const weights = (await this.weightsOf(layer)).mlp!;
    const { ffn } = layer;
    for (let done = 0; done < hidden.count; done += this.sliceRows) {
      const rows = Math.min(this.sliceRows, hidden.count - done);
      const first = hidden.first + done;
      const x = await this.inputOf(weights, { buffer: hidden.buffer, first, count: rows });
      const y = await this.#buffers.acquire(rows * ffn * 4, 'mlp');
      await this.#activated(layer, weights, x, y, rows);
      this.#buffers.release(x);
      await tap?.('downProj', y, done, rows);
      await this.mlpOutput(weights, y, { buffer: hidden.buffer, first, count: rows });
      this.#buffers.release(y);
    }
  }

  /** y [rows, ffn] = activation(gate) ⊙ up of x: in one kernel, or for a single row in one that reads weights best and one more. */
  async #activated(layer: LayerShape, { gateUp }: MlpWeights, x: GPUBuffer, y: GPUBuffer, rows: number): Promise<void> {
    const { ffn } = layer;
    const { buffer, dtype, inner } = gateUp;
    const { fused, gated } = gatedMlp(layer);
    if (this.inOneRow(rows)) {
      const both = await this.#buffers.acquire(2 * ffn * 4, 'gate and up');
      await this.linear(gateUp, x, both, 1, 0);
      await this.#queue.launch(gated, { gateUp: both, y }, { rows: 1, ffn }, ffn * touch);
      this.#buffers.release(both);
      return;
    }
    for (const piece of this.pieces(rows, 4 * inner * ffn)) {
      const tile = this.#choice.tile('swiglu', { dtype, rows: piece.count, inner, cols: 2 * ffn });
      const params = { rows: piece.count, inner, ffn, xFirst: piece.first, yFirst: piece.first };
      await this.#queue.launch(fused(dtype, tile), { weight: buffer, x, y }, params, piece.count * 4 * inner * ffn);
    }
  }

  /** Whether products of so many rows run in the kernels for one row: not where a tile is forced. */
  inOneRow(rows: number): boolean {
    return rows === 1 && this.#choice.forced === undefined;
  }

  /**
   * nll[nllFirst + i] = the loss in nats of targets[i] after row i of hidden: final norm, head and cross entropy.
   * lse [nllFirst + i], where a buffer is given, is the log-sum-exp of the row's logits.
   */
  async nll(hidden: Rows, targets: GPUBuffer, nll: GPUBuffer, nllFirst = 0, lse?: GPUBuffer): Promise<void> {
    const sums = lse ?? (await this.#buffers.acquire((nllFirst + hidden.count) * 4, 'log-sum-exp'));
    const { vocab, hidden: inner, logitSoftcap } = this.#shape;
    const chunkCols = chunkColumns(vocab);
    const chunks = this.#weights.head.reduce((sum, part) => sum + Math.ceil(part.rows / chunkCols), 0);
    for (let done = 0; done < hidden.count; done += this.sliceRows) {
      const rows = Math.min(this.sliceRows, hidden.count - done);
      const x = await this.finalNorm({ buffer: hidden.buffer, first: hidden.first + done, count: rows });
      for (const piece of this.pieces(rows, 2 * inner * vocab)) {
        const partials = await this.#buffers.acquire(piece.count * chunks * 16, 'loss partials');
        let chunkFirst = 0;
        for (const part of this.#weights.head) {
          const sizes = { dtype: part.dtype, rows: piece.count, inner, cols: part.rows };
          await this.#queue.launch(
            headPartials(part.dtype, this.#choice.tile('headPartials', sizes), logitSoftcap),
            { weight: part.buffer, x, targets, partials },
            {
              rows: piece.count,
              inner,
              cols: part.rows,
              xFirst: piece.first,
              targetFirst: done + piece.first,
              vocabFirst: part.first,
              chunkCols,
              chunkFirst,
              stride: chunks,
            },
            2 * piece.count * inner * part.rows,
          );
          chunkFirst += Math.ceil(part.rows / chunkCols);
        }
        await this.#queue.launch(
          combinePartials,
          { partials, nll, lse: sums },
          { rows: piece.count, chunks, nllFirst: nllFirst + done + piece.first },
          piece.count * chunks * touch,
        );
        this.#buffers.release(partials);
      }
      this.#buffers.release(x);
    }
    if (lse === undefined) this.#buffers.release(sums);
  }

  /** Logits [rows, vocab] of a few rows of hidden, read back. */
  async logits(hidden: Rows): Promise<Float32Array<ArrayBuffer>> {
    const { vocab, logitSoftcap } = this.#shape;
    const out = new Float32Array(hidden.count * vocab);
    const slice = Math.max(1, Math.min(this.sliceRows, Math.floor(2 ** 26 / (vocab * 4))));
    for (let done = 0; done < hidden.count; done += slice) {
      const count = Math.min(slice, hidden.count - done);
      const first = hidden.first + done;
      const x = await this.finalNorm({ buffer: hidden.buffer, first, count });
      for (const part of this.#weights.head) {
        const y = await this.#buffers.acquire(count * part.rows * 4, 'logits');
        await this.linear(part, x, y, count, 0);
        const values = new Float32Array(await this.#queue.read(y, count * part.rows * 4));
        this.#buffers.release(y);
        for (let row = 0; row < count; row++) {
          const from = values.subarray(row * part.rows, (row + 1) * part.rows);
          if (logitSoftcap !== undefined)
            from.forEach((z, i) => {
              from[i] = softcap(z, logitSoftcap);
            });
          out.set(from, (done + row) * vocab + part.first);
        }
      }
      this.#buffers.release(x);
    }
    return out;
  }

  /** A taken buffer with rows of the stream behind the last block, as the head reads them. */
  async finalNorm(rows: Rows): Promise<GPUBuffer> {
    this.#weights.checks.head();
    return this.norm(this.#weights.finalNorm, rows);
  }

  /** A taken buffer [rows, hidden] with what a sub-block reads: the normed rows, or a copy where it norms its output only. */
  async inputOf({ norm }: { readonly norm: GPUBuffer | null }, rows: Rows): Promise<GPUBuffer> {
    if (norm !== null) return this.norm(norm, rows);
    const rowBytes = this.#shape.hidden * 4;
    const x = await this.#buffers.acquire(rows.count * rowBytes, 'input of a sub-block');
    this.#queue.copy(rows.buffer, rows.first * rowBytes, x, 0, rows.count * rowBytes);
    return x;
  }

  /** A taken buffer [rows, hidden] with the normed rows. */
  async norm(weight: GPUBuffer, rows: Rows): Promise<GPUBuffer> {
    const { hidden, normEps, normOffset } = this.#shape;
    const y = await this.#buffers.acquire(rows.count * hidden * 4, 'normed');
    await this.#queue.launch(
      rmsnorm(normOffset),
      { weight, x: rows.buffer, y },
      { rows: rows.count, hidden, eps: normEps, xFirst: rows.first },
      rows.count * hidden * touch,
    );
    return y;
  }

  /** y rows from yFirst (+)= x[rows, inner] · matrixᵀ */
  async linear(
    matrix: GpuMatrix,
    x: GPUBuffer,
    y: GPUBuffer,
    rows: number,
    yFirst: number,
    accumulate = false,
  ): Promise<void> {
    const { buffer, dtype, rows: cols, inner } = matrix;
    if (this.inOneRow(rows)) {
      const params = { inner, cols, xFirst: 0, yFirst, accumulate: accumulate ? 1 : 0 };
      const kernel = linearRow(dtype, inner, this.#software);
      await this.#queue.launch(kernel, { weight: buffer, x, y }, params, 2 * inner * cols);
      return;
    }
    for (const piece of this.pieces(rows, 2 * inner * cols)) {
      const kernel = linear(dtype, this.#choice.tile('linear', { dtype, rows: piece.count, inner, cols }));
      const params = {
        rows: piece.count,
        inner,
        cols,
        xFirst: piece.first,
        yFirst: yFirst + piece.first,
        accumulate: accumulate ? 1 : 0,
      };
      await this.#queue.launch(kernel, { weight: buffer, x, y }, params, 2 * piece.count * inner * cols);
    }
  }

  /** A taken buffer [rows, (heads + 2·kvHeads)·headDim] with the projections of x and their biases: queries, keys, values. */
  async projections(layer: LayerShape, x: GPUBuffer, rows: number): Promise<GPUBuffer> {
    const { qkv: matrix, qkvBias } = (await this.weightsOf(layer)).attention!;
    const qkv = await this.#buffers.acquire(rows * matrix.rows * 4, 'qkv');
    await this.linear(matrix, x, qkv, rows, 0);
    await this.#addBiases(qkvBias, { buffer: qkv, first: 0, count: rows }, matrix.rows);
    return qkv;
  }

  /**
   * From projections to what attention compares, in place: queries and keys normed where the layer does so, and turned.
   * The first row of each sequence has the position `first`.
   */
  async normalizeAndRotate(layer: LayerShape, qkv: GPUBuffer, rows: number, seqLen: number, first = 0): Promise<void> {
    const { heads, kvHeads, headDim } = layer;
    const { headNorms } = (await this.weightsOf(layer)).attention!;
    if (headNorms !== null) {
      const width = (heads + 2 * kvHeads) * headDim;
      const { normEps: eps, normOffset } = this.#shape;
      const params = { rows, width, ...normGroups(layer), eps };
      await this.#queue.launch(headNorm(normOffset), { weight: headNorms, x: qkv }, params, rows * width * touch);
    }
    await this.turn(layer, qkv, rows, seqLen, 1, first);
  }

  /** Adds the biases that there are to rows of `stride` columns, in place. */
  async #addBiases(
    biases: GpuBias | null,
    { buffer: y, first: rowFirst, count: rows }: Rows,
    stride: number,
  ): Promise<void> {
    if (biases === null) return;
    for (const { first: yFirst, count: cols, biasFirst } of biases.runs) {
      const params = { rows, cols, stride, rowFirst, yFirst, biasFirst };
      await this.#queue.launch(bias, { bias: biases.buffer, y }, params, rows * cols * touch);
    }
  }

  /** Turns queries and keys by their positions, in place; with direction −1 back, which a gradient needs. */
  async turn(
    layer: LayerShape,
    qkv: GPUBuffer,
    rows: number,
    seqLen: number,
    direction: 1 | -1,
    first = 0,
  ): Promise<void> {
    const { heads, kvHeads, headDim } = layer;
    const width = (heads + 2 * kvHeads) * headDim;
    const table = await this.#ropeTable(layer, first + seqLen);
    const params = { rows, seqLen, heads: heads + kvHeads, headDim, width, direction, first };
    await this.#queue.launch(rope, { table, qkv }, params, rows * width * touch);
  }

  /** Taken buffers: the attention [rows, heads·headDim] of each sequence of qkv, and its log-sum-exp [rows, heads]. */
  async mix(
    layer: LayerShape,
    qkv: GPUBuffer,
    rows: number,
    seqLen: number,
  ): Promise<{ mixed: GPUBuffer; lse: GPUBuffer }> {
    const { heads, kvHeads, headDim, attnScale: scale = 1 / Math.sqrt(headDim), scoreSoftcap } = layer;
    const mixed = await this.#buffers.acquire(rows * heads * headDim * 4, 'attention');
    const lse = await this.#buffers.acquire(rows * heads * 4, 'attention log-sum-exp');
    const sequences = rows / seqLen;
    const total = attentionTasks(sequences, seqLen, heads, headDim);
    const window = windowIn(layer, seqLen);
    // A task: four rows times the keys that they see on average, scores over headDim and 16 channels of values.
    const taskFlops = 4 * (seenPairs(seqLen, window) / seqLen + 4) * 2 * (headDim + 16) * scoreCost;
    for (const piece of this.pieces(total, taskFlops)) {
      await this.#queue.launch(
        attention(headDim, window < seqLen, scoreSoftcap),
        { qkv, y: mixed, lse },
        {
          sequences,
          seqLen,
          heads,
          kvHeads,
          headDim,
          scale,
          taskFirst: piece.first,
          tasks: piece.count,
          window,
        },
        piece.count * taskFlops,
      );
    }
    return { mixed, lse };
  }

  /** Cuts a long launch into multiples of `unit`, so that each piece stays near the length of a submission. */
  *pieces(count: number, flopsEach: number, unit = 128): Generator<{ first: number; count: number }> {
    const step = Math.max(unit, Math.floor((2 * this.#queue.launchFlops) / flopsEach / unit) * unit);
    for (let first = 0; first < count; first += step) yield { first, count: Math.min(step, count - first) };
  }

  /** Says which layers will be visited, in order: blocks that are not on the GPU are fetched ahead. What is known to be broken is refused. */
  follow(route: readonly LayerShape[]): void {
    this.#weights.checks.layers([...new Set(route)]);
    this.#blocks.follow(route.filter(({ heads, ffn }) => heads > 0 || ffn > 0).map(({ source }) => source));
  }

  /**
   * The weights that a layer names by its source, valid until those of another block are asked for. Rejects with
   * 'bad-argument' where they have other sizes, biases or norms, with 'non-finite' where a value of them is broken.
   */
  async weightsOf(layer: LayerShape): Promise<BlockWeights> {
    const stored = this.#weights.blocks.layouts.get(layer.source)?.shape;
    const attentionFits =
      layer.heads === 0 ||
      (stored?.heads === layer.heads &&
        stored.kvHeads === layer.kvHeads &&
        stored.headDim === layer.headDim &&
        stored.qkNorm === layer.qkNorm &&
        stored.normPlacement === layer.normPlacement &&
        [...(stored.biases ?? [])].sort().join() === [...(layer.biases ?? [])].sort().join());
    const mlpFits = layer.ffn === 0 || (stored?.ffn === layer.ffn && stored.normPlacement === layer.normPlacement);
    if (stored !== undefined && attentionFits && mlpFits) {
      const weights = await this.#blocks.at(layer.source, this.#queue.signal);
      this.#weights.checks.layers([layer]);
      return weights;
    }
    const sizes = (shape: LayerShape | undefined): string =>
      shape === undefined
        ? 'no such block'
        : [
            `heads ${shape.heads}/${shape.kvHeads} × ${shape.headDim}`,
            ...(shape.biases ?? []),
            ...(shape.qkNorm === undefined ? [] : [`norms of queries and keys by ${shape.qkNorm}`]),
            `ffn ${shape.ffn}`,
            ...(shape.normPlacement === undefined ? [] : [`norms on outputs (${shape.normPlacement})`]),
          ].join(', ');
    throw new LabError(
      'bad-argument',
      `block ${layer.source}: the engine holds ${sizes(stored)}, asked for ${sizes(layer)}.`,
      'Ask for whole sub-blocks of the loaded model, or for none (0).',
    );
  }

  /** cos and sin for at least so many positions, kept for the engine's life: a shorter one may still be under way. */
  async #ropeTable(layer: LayerShape, seqLen: number): Promise<GPUBuffer> {
    const rope = ropeOf(this.#shape, layer);
    const key = `${layer.headDim} ${JSON.stringify(rope)}`;
    const known = this.#ropeTables.get(key);
    if (known !== undefined && known.positions >= seqLen) return known.table;
    const positions = 2 ** Math.ceil(Math.log2(Math.max(seqLen, 128)));
    const values = Float32Array.from(rotaryTable(rope, layer.headDim, positions));
    const table = await this.#buffers.allocate(values.byteLength, 'rope table');
    await this.#queue.write(table, values);
    this.#ropeTables.set(key, { positions, table });
    return table;
  }
}
