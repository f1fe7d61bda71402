/** @file Σ|weight ⊙ g| and Σ g² for a weight's gradient g = dYᵀ · x that is never stored. */
import code from '../../../shaders/linear/weight_salience.wgsl?raw';
import { defineKernel } from '../kernel';
import { type BackTileName, backTileGroups, backTiles } from './backTile';
import { variants, weightCode } from './tile';

export const weightSalience = variants((dtype, tile: BackTileName) =>
  defineKernel({
    name: `weightSalience ${dtype} ${tile}`,
    code: weightCode[dtype] + backTiles[tile].gradient + code,
    buffers: { weight: 'read', x: 'read', dY: 'read', carry: 'write', partials: 'write' },
    params: {
      rows: 'u32',
      inner: 'u32',
      cols: 'u32',
      stride: 'u32',
      yFirst: 'u32',
      weightFirst: 'u32',
      tileFirst: 'u32',
      tiles: 'u32',
      carryIn: 'u32',
      carryOut: 'u32',
    },
    workgroups: ({ tiles: tileRows, inner }) => backTileGroups(tile, tileRows * backTiles[tile].rows, inner),
    flops: ({ rows, inner, cols, tileFirst, tiles: tileRows }) =>
      2 * rows * inner * Math.min(tileRows * backTiles[tile].rows, cols - tileFirst * backTiles[tile].rows),
  }),
);

/** Rows of tiles that cover the weight's rows, and partial sums that all tiles leave. */
export function salienceTiles(tile: BackTileName, cols: number, inner: number): { tileRows: number; partials: number } {
  const tileRows = Math.ceil(cols / backTiles[tile].rows);
  return { tileRows, partials: tileRows * Math.ceil(inner / backTiles[tile].cols) };
}
