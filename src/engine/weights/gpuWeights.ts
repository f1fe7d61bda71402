/** @file The weights of a block, and parts of the vocabulary's tables, as they lie on the GPU. */
import type { LayerShape } from '../../model/shape';
import type { BiasLayout, BiasRun, BlockLayout, MatrixLayout, PartLayout } from './blockLayout';

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

/** Buffers, one per part of the layout, as the weights of a block. */
export function weightsIn(layout: BlockLayout, buffers: readonly GPUBuffer[]): BlockWeights {
  const { attention, mlp, shape } = layout;
  const byPart = new Map(layout.parts.map((part, index) => [part, buffers[index]!]));
  const bufferOf = (part: PartLayout): GPUBuffer => byPart.get(part)!;
  const maybe = (part: PartLayout | null): GPUBuffer | null => part && bufferOf(part);
  const bias = (part: BiasLayout | null): GpuBias | null => part && { runs: part.runs, buffer: bufferOf(part) };
  const matrix = (part: PartLayout) => ({ ...part, buffer: bufferOf(part) });
  return {
    shape,
    attention: attention && {
      norm: maybe(attention.norm),
      qkv: matrix(attention.qkv),
      qkvBias: bias(attention.qkvBias),
      headNorms: maybe(attention.headNorms),
      out: matrix(attention.out),
      outBias: bias(attention.outBias),
      postNorm: maybe(attention.postNorm),
    },
    mlp: mlp && {
      norm: maybe(mlp.norm),
      gateUp: matrix(mlp.gateUp),
      gateUpBias: bias(mlp.gateUpBias),
      down: matrix(mlp.down),
      downBias: bias(mlp.downBias),
      postNorm: maybe(mlp.postNorm),
    },
  };
}
