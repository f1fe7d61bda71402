/** @file A weight's gradient from its factors, tile by tile: written to a buffer, or reduced to sums and never stored. */
import type { LayerRole } from '../../model/shape';
import { backTiles } from '../kernels/backTile';
import { lineSalience, salienceLines, salienceTiles, weightSalience } from '../kernels/weightSalience';
import type { WeightFactors } from './gradientSink';
import { pieces } from './parts';
import type { EngineParts } from './runtime';

/** carryIn 1: the gradient continues that of earlier batches in `carry`. carryOut 1: it goes to `carry`; 0: it is reduced to sums. */
export interface Carrying {
  readonly carryIn: 0 | 1;
  readonly carryOut: 0 | 1;
}

/** Sums by row, or by column, of each tile: an acquired buffer [count, length], to be added up over `count`. */
export interface Lines {
  readonly buffer: GPUBuffer;
  readonly count: number;
  readonly length: number;
}

/** The side of a projection on which it meets the channels of heads or neurons. */
export function channelSide(role: LayerRole): keyof typeof lineSalience {
  return role === 'oProj' || role === 'downProj' ? 'columns' : 'rows';
}

/**
 * Computes dYᵀ · x. carryOut 1: carry [cols, inner] (+)= the gradient. carryOut 0: returns an acquired buffer with pairs
 * (Σ|weight ⊙ g|, Σ g²), where g is the gradient plus the values in carry; factors without rows reduce carry alone. `by` adds lines of
 * Σ|weight ⊙ g|.
 */
export async function weightGradient(
  parts: EngineParts,
  { matrix, weightFirst, cols, x, dY, stride, yFirst, rows }: WeightFactors,
  carry: GPUBuffer,
  carrying: Carrying,
  by: keyof typeof lineSalience | null = null,
): Promise<{ partials: GPUBuffer; pairs: number; lines: Lines | null }> {
  const { buffers, choice, queue } = parts;
  const { buffer: weight, dtype, inner } = matrix;
  const tile = choice.backTile('weightSalience', { dtype, rows: Math.max(rows, 1), inner, cols }, [
    inner,
    cols,
    stride,
    yFirst,
  ]);
  const { tileRows, partials: pairs } = salienceTiles(tile, cols, inner);
  const partials = await buffers.acquire(carrying.carryOut === 1 ? 8 : pairs * 8, 'partial sums');
  const sides = by === null ? null : salienceLines(by, tile, cols, inner);
  const bytes = sides === null || carrying.carryOut === 1 ? 4 : sides.count * sides.length * 4;
  const lines = sides && { buffer: await buffers.acquire(bytes, 'sums of lines'), ...sides };
  const flops = 2 * Math.max(rows, 8) * inner * backTiles[tile].rows;
  for (const { first, count } of pieces(parts, tileRows, flops, 8)) {
    const params = { rows, inner, cols, stride, yFirst, weightFirst, tileFirst: first, tiles: count, ...carrying };
    const bound = { weight, x, dY, carry, partials };
    if (by === null || lines === null) await queue.launch(weightSalience(dtype, tile), bound, params, count * flops);
    else await queue.launch(lineSalience[by](dtype, tile), { ...bound, lines: lines.buffer }, params, count * flops);
  }
  return { partials, pairs, lines };
}
