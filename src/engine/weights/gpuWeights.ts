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

/** Vocabulary rows first … first + rows of the embedding or the head. */
export interface VocabPart extends GpuMatrix {
  readonly first: number;
}

/** As `AttentionLayout`: biases and norms are null where the layer lacks them. */
export interface AttentionWeights {
  readonly norm: GPUBuffer | null;
  readonly qkv: GpuMatrix;
  readonly qkvBias: GpuBias | null;
  readonly headNorms: GPUBuffer | null;
  readonly out: GpuMatrix;
  readonly outBias: GpuBias | null;
  readonly postNorm: GPUBuffer | null;
}

/** As `MlpLayout`: biases and norms are null where the layer lacks them. */
export interface MlpWeights {
  readonly norm: GPUBuffer | null;
  readonly gateUp: GpuMatrix;
  readonly gateUpBias: GpuBias | null;
  readonly down: GpuMatrix;
  readonly downBias: GpuBias | null;
  readonly postNorm: GPUBuffer | null;
}

/** Weights of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockWeights {
  readonly shape: LayerShape;
  readonly attention: AttentionWeights | null;
  readonly mlp: MlpWeights | null;
}
