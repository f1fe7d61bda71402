/**
 * @file Sinks, to which the backward pass hands the gradients of weights. Each sink decides which of them it computes.
 *
 * The pass never stores a gradient of a weight. It hands a sink the two factors of each gradient, in buffers that are valid until
 * the call returns. So one sink sums |weight ⊙ gradient|, another gathers whole gradients to train with, a third only those
 * of two small factors.
 */
import type { BiasRole, LayerRole } from '../../model/shape';
import type { GpuMatrix } from '../weights/gpuWeights';
import type { LowRankRows } from './lowRankRows';

/** The gradient of a role's weight is dYᵀ · x over `rows` rows. */
export interface WeightFactors {
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
  /** For the gradients of low-rank factors beside the weight; valid until the call returns. */
  readonly lowRank?: LowRankRows | undefined;
}

/** The gradient of a bias is the sum over `rows` rows of the columns yFirst … yFirst + cols of dY [rows, stride]. */
export type BiasFactors = Pick<WeightFactors, 'cols' | 'dY' | 'stride' | 'yFirst' | 'rows'>;

/** The gradient of a norm's weight is Σ_rows dY ⊙ x · rstd, with x and dY [rows, hidden] and rstd [rows]. */
export interface NormFactors {
  readonly weight: GPUBuffer;
  readonly x: GPUBuffer;
  readonly dY: GPUBuffer;
  readonly rstd: GPUBuffer;
  readonly rows: number;
}

/** A norm over `hidden`. */
export type NormRole = 'attnNorm' | 'postAttnNorm' | 'mlpNorm' | 'postMlpNorm' | 'finalNorm';

/**
 * The gradient of the weight that normalizes the heads of queries or keys is Σ_rows,heads dY ⊙ x · rstd. If all channels of a token
 * are normalized as one, they count as one head.
 */
export interface HeadNormFactors {
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

/** Takes the gradients of one block's weights, or of the final norm. Every role comes once per batch. */
export interface GradientSink {
  /** A sink of frozen norms: the pass may leave out a gradient that only the norm of the first block's input needs. */
  readonly normsAreFrozen?: boolean;
  weight(role: LayerRole, factors: WeightFactors): Promise<void>;
  norm(role: NormRole, factors: NormFactors): Promise<void>;
  headNorm(role: 'qNorm' | 'kNorm', factors: HeadNormFactors): Promise<void>;
  /** A sink without this method wants no gradients of biases. */
  bias?(role: BiasRole, factors: BiasFactors): Promise<void>;
  /** All gradients of one batch have come. */
  endBatch?(): void;
  /** The gradients of all batches have come. */
  finish?(): Promise<void>;
}
