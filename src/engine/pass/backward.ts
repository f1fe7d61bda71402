/**
 * @file The backward pass on the GPU, block by block, for rows that are whole sequences.
 *
 * The gradient of the residual stream is one buffer [rows, hidden]; each block updates it in place, from the gradient after the
 * block to the one before it. Gradients of weights go to a sink; the pass itself stores none.
 */
import type { LayerShape } from '../../model/shape';
import type { Kernel } from '../gpu/kernel';
import { attentionBackward as attentionKernels } from '../kernels/attentionBackward';
import { gatedMlp } from '../kernels/gatedMlp';
import { headNormBackward } from '../kernels/headNormBackward';
import { linearInputGradient } from '../kernels/linearInputGradient';
import { rmsnormBackward } from '../kernels/rmsnormBackward';
import { attentionBackward } from './attentionBackward';
import type { GradientSink } from './gradientSink';
import { headBackward } from './headBackward';
import { LowRankRows } from './lowRankRows';
import { mlpBackward } from './mlpBackward';
import type { Sequences } from './parts';
import { projectionBackwardKernels, projectionKernels } from './projection';
import type { EngineParts } from './runtime';
import { type Tape, Tapes } from './tape';

/** A batch as the backward pass of a block needs it. */
export interface BlockGradients {
  /** The block's input [rows, hidden]. */
  readonly input: GPUBuffer;
  /** Activations of the block's forward pass; the backward pass releases them. */
  readonly tape: Tape;
  /** [rows, hidden]: from the gradient after the block to the one before it, in place. */
  readonly dHidden: GPUBuffer;
  readonly sequences: Sequences;
  readonly sink: GradientSink;
  /** Nothing asks for the gradient of the block's input, so that dHidden need not become that. */
  readonly inputIsLast?: boolean;
}

type HeadArguments = Parameters<typeof headBackward> extends [EngineParts, ...infer Rest] ? Rest : never;

export class Backward {
  readonly tapes: Tapes;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.tapes = new Tapes(parts);
  }

  /** Every kernel that the backward pass needs beyond those of the forward pass, to be compiled several at a time. */
  kernels(): ReadonlySet<Kernel> {
    const { choice, shape: model, weights } = this.#parts;
    const { normOffset } = model;
    const kernels = new Set<Kernel>([rmsnormBackward(normOffset)]);
    for (const { dtype, inner, rows: cols } of weights.head) {
      const sizes = { dtype, inner, cols };
      for (const tile of choice.backTiles('linearInputGradient', sizes, [inner])) {
        kernels.add(linearInputGradient(dtype, tile));
      }
    }
    for (const { shape, attention, mlp } of weights.blocks.layouts.values()) {
      if (attention !== null) {
        const { query, key } = attentionKernels(shape.headDim, false, shape.scoreSoftcap);
        for (const kernel of [query, key]) kernels.add(kernel);
      }
      if (attention?.headNorms) kernels.add(headNormBackward(normOffset));
      for (const matrix of [attention?.qkv, attention?.out, mlp?.gateUp, mlp?.down]) {
        if (matrix === undefined) continue;
        for (const kernel of projectionBackwardKernels(choice, matrix)) kernels.add(kernel);
      }
      if (mlp === null) continue;
      const { gated, backward } = gatedMlp(shape);
      for (const kernel of [gated, backward, ...projectionKernels(choice, mlp.gateUp)]) kernels.add(kernel);
    }
    return kernels;
  }

  /** An acquired buffer [rows, hidden] with the gradient of the residual stream `hidden` after the last block; see `headBackward`. */
  head(...[hidden, loss, sink, most, table]: HeadArguments): Promise<GPUBuffer> {
    return headBackward(this.#parts, hidden, loss, sink, most, table);
  }

  /** Takes the gradient of the residual stream back through a block. */
  async block(
    layer: LayerShape,
    { input, tape, dHidden, sequences, sink, inputIsLast = false }: BlockGradients,
  ): Promise<void> {
    const { attention, mlp } = await this.#parts.forward.weightsOf(layer);
    const lowRank = new LowRankRows(this.#parts.buffers);
    const step = { parts: this.#parts, layer, sequences, dHidden, sink, lowRank };
    const mlpIsFirst = inputIsLast && tape.attention === null;
    if (tape.mlp !== null) await mlpBackward({ ...step, inputIsLast: mlpIsFirst }, mlp!, tape.mlp);
    if (tape.attention !== null) await attentionBackward({ ...step, inputIsLast }, attention!, tape.attention, input);
    lowRank.release();
    this.tapes.release(tape);
  }
}
