/** @file The tiles of the backward matmuls: dY · weight, and the weight's gradient dYᵀ · x. */
import backTile4x8 from '../../../shaders/linear/back_tile_4x8.wgsl?raw';
import backTile16x8 from '../../../shaders/linear/back_tile_16x8.wgsl?raw';
import backTile16x16 from '../../../shaders/linear/back_tile_16x16.wgsl?raw';
import backTileAny from '../../../shaders/linear/back_tile_any.wgsl?raw';
import byFour from '../../../shaders/linear/back_tile_by_four.wgsl?raw';
import gradientTile4x8 from '../../../shaders/linear/gradient_tile_4x8.wgsl?raw';
import gradientTile16x8 from '../../../shaders/linear/gradient_tile_16x8.wgsl?raw';
import gradientTile16x16 from '../../../shaders/linear/gradient_tile_16x16.wgsl?raw';
import gradientTileAny from '../../../shaders/linear/gradient_tile_any.wgsl?raw';
import gradientByFour from '../../../shaders/linear/gradient_tile_by_four.wgsl?raw';
import { include } from './include';
import { type TileName, tiles } from './tile';

interface BackTile {
  /** WGSL that multiplies a tile of dY · weight. */
  readonly matmul: string;
  /** WGSL that gathers a tile of dYᵀ · x; rows of the tile are rows of the weight. */
  readonly gradient: string;
  /** Of one invocation's tile. */
  readonly rows: number;
  readonly cols: number;
  /** Invocations of a workgroup: columns of tiles by rows of tiles. */
  readonly group: readonly [cols: number, rows: number];
  /** Reads by four: only where four divides every row length and offset. */
  readonly byFour: boolean;
}

const byFourTile = (matmul: string, gradient: string) =>
  ({
    matmul: byFour + include(matmul),
    gradient: byFour + gradientByFour + include(gradient),
    byFour: true,
  }) as const;

/** WGSL of the tiles, which one invocation each holds alone, with the sizes that its constants have. */
export const backTiles = {
  '4x8': { ...byFourTile(backTile4x8, gradientTile4x8), rows: 4, cols: 8, group: [8, 8] },
  '16x8': { ...byFourTile(backTile16x8, gradientTile16x8), rows: 16, cols: 8, group: [8, 8] },
  '16x16': { ...byFourTile(backTile16x16, gradientTile16x16), rows: 16, cols: 16, group: [8, 2] },
  any: { matmul: backTileAny, gradient: gradientTileAny, rows: 4, cols: 4, group: [8, 8], byFour: false },
} as const satisfies Readonly<Record<string, BackTile>>;

export type BackTileName = keyof typeof backTiles;

/** A tile of either direction. */
export type AnyTileName = TileName | BackTileName;

export function isForwardTile(name: AnyTileName): name is TileName {
  return name in tiles;
}

export function isBackTile(name: AnyTileName): name is BackTileName {
  return name in backTiles;
}

/** Workgroups that cover rows × cols. */
export function backTileGroups(name: BackTileName, rows: number, cols: number): [x: number, y: number] {
  const { group, ...tile } = backTiles[name];
  return [Math.ceil(cols / (tile.cols * group[0])), Math.ceil(rows / (tile.rows * group[1]))];
}

/** The tile for operands whose row lengths and offsets are `sizes`: by four where it divides them all. */
export function pickBackTile(sizes: readonly number[], largeTiles: boolean): BackTileName {
  if (sizes.some((size) => size % 4 !== 0)) return 'any';
  return largeTiles ? '16x16' : '4x8';
}

/** The tiles that an adapter may run; `byFour`: four divides every row length and offset of the operands. */
export function offeredBackTiles(byFour: boolean, largeTiles: boolean): BackTileName[] {
  return (Object.keys(backTiles) as BackTileName[]).filter(
    (name) => (byFour || !backTiles[name].byFour) && (largeTiles || name !== '16x16'),
  );
}
