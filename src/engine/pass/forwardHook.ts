/** @file Forward hooks: the states that a caller may see during a forward pass over the base. */
import type { Batch } from './sequences';

/** Projections whose input a tap sees. */
export type TappedRole = 'oProj' | 'downProj';

/** Sees the input x [count, inner] of oProj or downProj, for the rows from `first` on of those in the pass. */
export type InputTap = (role: TappedRole, x: GPUBuffer, first: number, count: number) => Promise<void>;

/** A pass calls its hooks for each batch, from `begin` to `end`. A buffer is valid until the call returns. */
export interface ForwardHook {
  /** The residual stream [rows, hidden] before the first block. */
  begin?(batch: Batch, residual: GPUBuffer): Promise<void>;
  /** The stream before and after the layer of this index, whose weights are on the GPU. */
  block?(batch: Batch, index: number, before: GPUBuffer, after: GPUBuffer): Promise<void>;
  /** The batch has passed the last block. */
  end?(batch: Batch): Promise<void>;
  /** Returns the function that sees the inputs of oProj and downProj in the layer of this index. */
  inputs?(batch: Batch, index: number): InputTap;
}

/** One tap that calls all of these in their order; undefined without any. */
export function combineTaps(taps: readonly InputTap[]): InputTap | undefined {
  if (taps.length <= 1) return taps[0];
  return async (...input) => {
    for (const tap of taps) await tap(...input);
  };
}
