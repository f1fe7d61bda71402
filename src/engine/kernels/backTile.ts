/** @file The tiles of the backward products: dY · weight, and the weight's gradient dYᵀ · x. */
import backTile4x8 from '../../../shaders/linear/back_tile_4x8.wgsl?raw';
import backTile16x8 from '../../../shaders/linear/back_tile_16x8.wgsl?raw';
import backTileAny from '../../../shaders/linear/back_tile_any.wgsl?raw';
import gradientTile4x8 from '../../../shaders/linear/gradient_tile_4x8.wgsl?raw';
import gradientTile16x8 from '../../../shaders/linear/gradient_tile_16x8.wgsl?raw';
import gradientTileAny from '../../../shaders/linear/gradient_tile_any.wgsl?raw';
import type { TileName } from './tile';

/** Tiles that the backward products exist in: those that one invocation holds alone. */
export type BackTileName = Extract<TileName, '4x8' | '16x8' | 'any'>;

/** WGSL that multiplies a tile of dY · weight; of the same sizes as the forward tile of that name. */
export const backTiles: Readonly<Record<BackTileName, string>> = {
  '4x8': backTile4x8,
  '16x8': backTile16x8,
  any: backTileAny,
};

/** WGSL that gathers a tile of dYᵀ · x; rows of the tile are rows of the weight. */
export const gradientTiles: Readonly<Record<BackTileName, string>> = {
  '4x8': gradientTile4x8,
  '16x8': gradientTile16x8,
  any: gradientTileAny,
};

/** The tile for operands whose row lengths and offsets are `sizes`: by four where it divides them all. */
export function pickBackTile(sizes: readonly number[], software: boolean): BackTileName {
  if (sizes.some((size) => size % 4 !== 0)) return 'any';
  return software ? '16x8' : '4x8';
}
