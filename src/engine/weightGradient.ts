/** @file A weight's gradient from its product, by tiles: gathered in a buffer, or taken as sums and never stored. */
import type { WeightProduct } from './backward';
import { backTiles } from './kernels/backTile';
import { salienceTiles, weightSalience } from './kernels/weightSalience';
import type { EngineParts } from './runtime';

/** Whether the gradient of the products so far is read from carry, and whether the sum goes there or is looked at. */
export interface Carrying {
  readonly carryIn: 0 | 1;
  readonly carryOut: 0 | 1;
}

/**
 * carryOut 1: carry [cols, inner] (+)= the product. carryOut 0: a taken buffer with pairs (Σ|weight ⊙ g|, Σ g²) of g, the
 * product plus what is carried; a product of no rows looks at what is carried alone.
 */
export async function weightGradient(
  { buffers, choice, forward, stream }: EngineParts,
  { matrix, weightFirst, cols, x, dY, stride, yFirst, rows }: WeightProduct,
  carry: GPUBuffer,
  carrying: Carrying,
): Promise<{ partials: GPUBuffer; pairs: number }> {
  const { buffer: weight, dtype, inner } = matrix;
  const tile = choice.backTile('weightSalience', { dtype, rows: Math.max(rows, 1), inner, cols }, [
    inner,
    cols,
    stride,
    yFirst,
  ]);
  const { tileRows, partials: pairs } = salienceTiles(tile, cols, inner);
  const partials = await buffers.take(carrying.carryOut === 1 ? 8 : pairs * 8, 'partial sums');
  const flops = 2 * Math.max(rows, 8) * inner * backTiles[tile].rows;
  for (const { first, count } of forward.pieces(tileRows, flops, 8)) {
    await stream.launch(
      weightSalience(dtype, tile),
      { weight, x, dY, carry, partials },
      { rows, inner, cols, stride, yFirst, weightFirst, tileFirst: first, tiles: count, ...carrying },
      count * flops,
    );
  }
  return { partials, pairs };
}
