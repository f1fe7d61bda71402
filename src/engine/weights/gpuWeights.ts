/** @file The weights of a block, and parts of the vocabulary's tables, as they lie on the GPU. */
import type { LayerShape } from '../../model/shape';
import type { BiasRun, MatrixLayout } from './blockLayout';

/** A matrix on the GPU, padded with zeros to 16 bytes. */
export interface GpuMatrix extends MatrixLayout {
  readonly buffer: GPUBuffer;
}

/** Biases of a matrix's output, behind one another in one buffer. */
export interface GpuBias {
  readonly buffer: GPUBuffer;
  readonly runs: readonly BiasRun[];
}

/** A linear layer y = x · matrixᵀ + bias. One matrix may serve several projections of the same input (q, k, v; gate, up). */
export interface Projection {
  readonly matrix: GpuMatrix;
  /** Null where no column has a bias. */
  readonly bias: GpuBias | null;
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
