/** @file The GPU buffers of a block's weights, and of parts of the vocabulary's tables. */
import type { LayerShape } from '../../model/shape';
import type { Adapter } from './adapters';
import type { BiasLayout, BiasRun, BlockLayout, MatrixLayout, PartLayout } from './blockLayout';

/** A matrix on the GPU, padded with zeros to 16 bytes. */
export interface GpuMatrix extends MatrixLayout {
  readonly buffer: GPUBuffer;
}

/** Biases of a matrix's output, one after the other in one buffer. */
export interface GpuBias {
  readonly buffer: GPUBuffer;
  readonly runs: readonly BiasRun[];
}

/**
 * A linear layer y = x · matrixᵀ + bias, plus what adapters add. One matrix may serve several projections of the same input (q, k, v;
 * gate, up).
 */
export interface Projection {
  readonly matrix: GpuMatrix;
  /** Null where no column has a bias. */
  readonly bias: GpuBias | null;
  /** Absent where the view has none at this block. */
  readonly adapters?: readonly Adapter[];
}

/** Vocabulary rows first … first + rows of the embedding or the head. */
export interface VocabPart extends GpuMatrix {
  readonly first: number;
}

/** The weights of an attention; norms are null where the layer lacks them. */
export interface AttentionWeights {
  readonly norm: GPUBuffer | null;
  readonly qkv: Projection;
  readonly headNorms: GPUBuffer | null;
  readonly out: Projection;
  readonly postNorm: GPUBuffer | null;
}

/** The weights of an MLP; norms are null where the layer lacks them. */
export interface MlpWeights {
  readonly norm: GPUBuffer | null;
  readonly gateUp: Projection;
  readonly down: Projection;
  readonly postNorm: GPUBuffer | null;
}

/** Weights of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockWeights {
  readonly shape: LayerShape;
  readonly attention: AttentionWeights | null;
  readonly mlp: MlpWeights | null;
}

/** Buffers, one per part of the layout, as the weights of a block. */
export function weightsIn(layout: BlockLayout, buffers: readonly GPUBuffer[]): BlockWeights {
  const { attention, mlp, shape } = layout;
  const byPart = new Map(layout.parts.map((part, index) => [part, buffers[index]!]));
  const bufferOf = (part: PartLayout): GPUBuffer => byPart.get(part)!;
  const maybe = (part: PartLayout | null): GPUBuffer | null => part && bufferOf(part);
  const projection = (part: PartLayout, bias: BiasLayout | null): Projection => ({
    matrix: { ...part, buffer: bufferOf(part) },
    bias: bias && { runs: bias.runs, buffer: bufferOf(bias) },
  });
  return {
    shape,
    attention: attention && {
      norm: maybe(attention.norm),
      qkv: projection(attention.qkv, attention.qkvBias),
      headNorms: maybe(attention.headNorms),
      out: projection(attention.out, attention.outBias),
      postNorm: maybe(attention.postNorm),
    },
    mlp: mlp && {
      norm: maybe(mlp.norm),
      gateUp: projection(mlp.gateUp, mlp.gateUpBias),
      down: projection(mlp.down, mlp.downBias),
      postNorm: maybe(mlp.postNorm),
    },
  };
}
