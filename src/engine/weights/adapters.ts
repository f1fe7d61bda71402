/** @file Adapters: small factors beside the frozen matrices of a view's blocks (LoRA). */
import { type ProjectionRole, projectionRoles } from '../../model/shape';
import type { Dropout } from '../../numerics/dropout';
import { mixSeed } from '../../numerics/random';

/** The factors of one projection: what they add is scale · (x · Aᵀ) · Bᵀ. */
export interface AdapterFactors {
  /** float32 [rank, inner] */
  readonly a: GPUBuffer;
  /** float32 [cols, rank] */
  readonly b: GPUBuffer;
  readonly rank: number;
  readonly inner: number;
  readonly cols: number;
  /** alpha / rank */
  readonly scale: number;
}

/** Factors at their place in a matrix's output: y[:, first … first + cols] += scale · (drop(x) · Aᵀ) · Bᵀ. */
export interface Adapter extends AdapterFactors {
  readonly first: number;
  readonly dropout: Dropout | null;
}

/** The factors of a view, by the source of their block. */
export type AdapterSet = ReadonlyMap<number, ReadonlyMap<ProjectionRole, AdapterFactors>>;

/** A dropout of one role in one pass, from that of the whole pass: every role of every block has a seed of its own. */
export function roleDropout({ rate, seed }: Dropout, source: number, role: ProjectionRole): Dropout {
  return { rate, seed: mixSeed(mixSeed(seed, source), projectionRoles.indexOf(role)) };
}
