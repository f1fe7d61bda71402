/**
 * @file The forward pass on the GPU, on any rows of a residual stream.
 *
 * The stream `hidden` [·, hidden] is one buffer and may hold many batches and variants behind one another; every
 * step names the rows that it works on. Steps cut their rows into slices, so that activations stay small, and
 * slices into launches that stay short.
 */
import { LabError } from '../../errors';
import { type BiasRole, isAttentionBias, isMlpBias, type LayerShape } from '../../model/shape';
import type { Dropout } from '../../numerics/dropout';
import type { Kernel } from '../gpu/kernel';
import { addNormalized } from '../kernels/addNormalized';
import { attention } from '../kernels/attention';
import { bias } from '../kernels/bias';
import { combinePartials } from '../kernels/combinePartials';
import { embedding } from '../kernels/embedding';
import { gatedMlp } from '../kernels/gatedMlp';
import { headNorm } from '../kernels/headNorm';
import { headPartials } from '../kernels/headPartials';
import { rmsnorm } from '../kernels/rmsnorm';
import { rope } from '../kernels/rope';
import type { MatrixLayout } from '../weights/blockLayout';
import type { AttentionWeights, BlockWeights } from '../weights/gpuWeights';
import { attentionOutput, mix, normalizeHeads, projectQkv } from './attention';
import type { InputTap } from './forwardHook';
import { activate, mlpOutput } from './mlp';
import { inputOf } from './norms';
import type { PassParts, Rows, Sequences } from './parts';
import { projectionKernels } from './projection';
import { Rotary, type Rotation } from './rotary';
import { embed, finalNorm, headLoss, readLogits } from './vocabulary';

export class Forward {
  readonly #parts: PassParts;
  readonly rotary: Rotary;
  /** Of the adapters' input, for a batch that is trained on; null for every other pass. */
  dropout: Dropout | null = null;
  readonly #sliceRows: Record<'plain' | 'adapted', number>;

  constructor(parts: PassParts) {
    this.#parts = parts;
    this.rotary = new Rotary(parts);
    const { context, shape } = parts;
    const bytes = Math.min(context.device.limits.maxStorageBufferBindingSize, 2 ** 27);
    const rowsOf = (adapted: boolean): number => {
      const widths = shape.layers.map((layer) => {
        const neurons = adapted || addsToGateOrUp(layer) ? 2 * layer.ffn : layer.ffn;
        return Math.max((layer.heads + 2 * layer.kvHeads) * layer.headDim, neurons);
      });
      const widest = Math.max(shape.hidden, ...widths);
      return Math.max(16, Math.min(context.info.software ? 1024 : 4096, Math.floor(bytes / (4 * widest))));
    };
    this.#sliceRows = { plain: rowsOf(false), adapted: rowsOf(true) };
  }

  /** Rows of a slice. */
  get sliceRows(): number {
    return this.#sliceRows[this.#parts.weights.adapters.isEmpty ? 'plain' : 'adapted'];
  }

  /** Every kernel that the base needs, to be compiled several at a time instead of one after another at first use. */
  kernels(): ReadonlySet<Kernel> {
    const { choice, shape: model, weights } = this.#parts;
    const { logitSoftcap, normOffset } = model;
    const kernels = new Set<Kernel>([rmsnorm(normOffset), rope, combinePartials]);
    const sizesOf = ({ dtype, inner, rows }: MatrixLayout) => ({ dtype, inner, cols: rows });
    for (const part of weights.embed) kernels.add(embedding[part.dtype]);
    for (const part of weights.head) {
      for (const tile of choice.tiles('headPartials', sizesOf(part))) {
        kernels.add(headPartials(part.dtype, tile, logitSoftcap));
      }
    }
    for (const { shape, attention: mixing, mlp } of weights.blocks.layouts.values()) {
      // The record for a sliding window is compiled at first use: few texts are longer than the window.
      if (mixing !== null) kernels.add(attention(shape.headDim, false, shape.scoreSoftcap));
      if (mixing?.qkvBias || mixing?.outBias || mlp?.gateUpBias || mlp?.downBias) kernels.add(bias);
      if (mixing?.headNorms) kernels.add(headNorm(normOffset));
      if (mixing?.postNorm || mlp?.postNorm) kernels.add(addNormalized(normOffset));
      const { fused, gated } = gatedMlp(shape);
      const separate = mlp?.gateUpBias ? mlp.gateUp : null;
      if (separate) kernels.add(gated);
      if (mlp !== null && separate === null) {
        for (const tile of choice.tiles('swiglu', sizesOf(mlp.gateUp))) kernels.add(fused(mlp.gateUp.dtype, tile));
      }
      for (const matrix of [mixing?.qkv, mixing?.out, separate, mlp?.down]) {
        if (!matrix) continue;
        for (const kernel of projectionKernels(choice, matrix)) kernels.add(kernel);
      }
    }
    return kernels;
  }

  /** Rows of hidden from the embedding of as many tokens, scaled if the model does so. */
  embed(tokens: GPUBuffer, hidden: Rows): Promise<void> {
    return embed(this.#parts, tokens, hidden);
  }

  /**
   * hidden += attention(norm(hidden)), then hidden += mlp(norm(hidden)), with norms of the outputs if the layer has them.
   * Rows are whole sequences of seqLen.
   */
  async block(layer: LayerShape, hidden: Rows, seqLen: number, tap?: InputTap): Promise<void> {
    await this.attention(layer, hidden, seqLen, tap);
    await this.mlp(layer, hidden, tap);
  }

  /** hidden += oProj(attention(norm(hidden))); nothing for a layer without heads. */
  async attention(layer: LayerShape, hidden: Rows, seqLen: number, tap?: InputTap): Promise<void> {
    if (layer.heads === 0) return;
    const { buffers } = this.#parts;
    const weights = (await this.weightsOf(layer)).attention!;
    const slice = Math.max(1, Math.floor(this.sliceRows / seqLen)) * seqLen;
    for (let done = 0; done < hidden.count; done += slice) {
      const rows = Math.min(slice, hidden.count - done);
      const place = { buffer: hidden.buffer, first: hidden.first + done, count: rows };
      const x = await inputOf(this.#parts, weights.norm, place);
      const qkv = await projectQkv(this.#parts, weights, x, rows);
      buffers.release(x);
      await this.normalizeAndRotate(layer, weights, qkv, { rows, seqLen });
      const { mixed, lse } = await mix(this.#parts, layer, qkv, { rows, seqLen });
      buffers.release(qkv);
      buffers.release(lse);
      await tap?.('oProj', mixed, done, rows);
      await attentionOutput(this.#parts, weights, mixed, place);
      buffers.release(mixed);
    }
  }

  /** Prepares queries and keys for attention, in place: normalizes them if the layer does so, and rotates them. */
  async normalizeAndRotate(
    layer: LayerShape,
    weights: AttentionWeights,
    qkv: GPUBuffer,
    sequences: Sequences,
    rotation?: Rotation,
  ): Promise<void> {
    await normalizeHeads(this.#parts, layer, weights, qkv, sequences.rows);
    await this.rotary.rotate(layer, qkv, sequences, rotation);
  }

  /** hidden += downProj(activation(gate) ⊙ up) of norm(hidden); nothing for a layer without neurons. */
  async mlp(layer: LayerShape, hidden: Rows, tap?: InputTap): Promise<void> {
    if (layer.ffn === 0) return;
    const { buffers } = this.#parts;
    const weights = (await this.weightsOf(layer)).mlp!;
    for (let done = 0; done < hidden.count; done += this.sliceRows) {
      const rows = Math.min(this.sliceRows, hidden.count - done);
      const place = { buffer: hidden.buffer, first: hidden.first + done, count: rows };
      const x = await inputOf(this.#parts, weights.norm, place);
      const y = await buffers.acquire(rows * layer.ffn * 4, 'mlp');
      await activate(this.#parts, layer, weights, x, y, rows);
      buffers.release(x);
      await tap?.('downProj', y, done, rows);
      await mlpOutput(this.#parts, weights, y, place);
      buffers.release(y);
    }
  }

  /**
   * nll[nllFirst + i] = the loss in nats of targets[i] after row i of hidden: final norm, head and cross entropy.
   * lse [nllFirst + i], if a buffer is given, is the log-sum-exp of the row's logits.
   */
  async nll(hidden: Rows, targets: GPUBuffer, nll: GPUBuffer, nllFirst = 0, lse?: GPUBuffer): Promise<void> {
    const { buffers } = this.#parts;
    const sums = lse ?? (await buffers.acquire((nllFirst + hidden.count) * 4, 'log-sum-exp'));
    for (let done = 0; done < hidden.count; done += this.sliceRows) {
      const rows = Math.min(this.sliceRows, hidden.count - done);
      const x = await finalNorm(this.#parts, { buffer: hidden.buffer, first: hidden.first + done, count: rows });
      const output = { nll, lse: sums, first: nllFirst + done };
      await headLoss(this.#parts, x, rows, { targets, targetFirst: done }, output);
      buffers.release(x);
    }
    if (lse === undefined) buffers.release(sums);
  }

  /** Logits [rows, vocab] of a few rows of hidden, read back. */
  async logits(hidden: Rows): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, shape } = this.#parts;
    const out = new Float32Array(hidden.count * shape.vocab);
    const slice = Math.max(1, Math.min(this.sliceRows, Math.floor(2 ** 26 / (shape.vocab * 4))));
    for (let done = 0; done < hidden.count; done += slice) {
      const count = Math.min(slice, hidden.count - done);
      const x = await finalNorm(this.#parts, { buffer: hidden.buffer, first: hidden.first + done, count });
      await readLogits(this.#parts, x, count, out.subarray(done * shape.vocab));
      buffers.release(x);
    }
    return out;
  }

  /** Says which layers will be visited, in order: blocks that are not on the GPU are fetched ahead. Layers whose weights are not finite are refused. */
  follow(route: readonly LayerShape[]): void {
    this.#parts.weights.checks.layers([...new Set(route)]);
    this.#parts.blocks.follow(route.filter(({ heads, ffn }) => heads > 0 || ffn > 0).map(({ source }) => source));
  }

  /**
   * The weights that a layer names by its source, with the view's adapters, valid until those of another block are asked for. Rejects with
   * 'bad-argument' where they have other sizes, biases or norms, with 'non-finite' where a value of them is broken.
   */
  async weightsOf(layer: LayerShape): Promise<BlockWeights> {
    const stored = this.#parts.weights.blocks.layouts.get(layer.source)?.shape;
    const attentionFits =
      layer.heads === 0 ||
      (stored?.heads === layer.heads &&
        stored.kvHeads === layer.kvHeads &&
        stored.headDim === layer.headDim &&
        stored.qkNorm === layer.qkNorm &&
        stored.normPlacement === layer.normPlacement &&
        biasesOf(stored, isAttentionBias) === biasesOf(layer, isAttentionBias));
    const mlpFits =
      layer.ffn === 0 ||
      (stored?.ffn === layer.ffn &&
        stored.normPlacement === layer.normPlacement &&
        biasesOf(stored, isMlpBias) === biasesOf(layer, isMlpBias));
    if (stored !== undefined && attentionFits && mlpFits) {
      const weights = await this.#parts.blocks.at(layer.source, this.#parts.queue.signal);
      this.#parts.weights.checks.layers([layer]);
      return this.#parts.weights.adapters.on(layer.source, weights, this.dropout);
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
}

/** The biases of a sub-block by their names, in one order. */
function biasesOf({ biases = [] }: LayerShape, ofSubBlock: (role: BiasRole) => boolean): string {
  return biases.filter(ofSubBlock).sort().join();
}

/** Whether a layer adds a bias before the activation of its MLP. */
function addsToGateOrUp({ biases = [], ffn }: LayerShape): boolean {
  return ffn > 0 && (biases.includes('gateBias') || biases.includes('upBias'));
}
