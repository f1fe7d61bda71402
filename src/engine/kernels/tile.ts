/** @file What the kernels with a weight share: how its type is read, and how large a tile one invocation holds. */
import weightBf16 from '../../../shaders/common/weight_bf16.wgsl?raw';
import weightF16 from '../../../shaders/common/weight_f16.wgsl?raw';
import weightF32 from '../../../shaders/common/weight_f32.wgsl?raw';
import tile4x8 from '../../../shaders/linear/tile_4x8.wgsl?raw';
import tile16x8 from '../../../shaders/linear/tile_16x8.wgsl?raw';
import tileAny from '../../../shaders/linear/tile_any.wgsl?raw';
import type { StoredDtype } from '../../model/weights';

/** WGSL that binds `weight` and reads it. */
export const weightCode: Readonly<Record<StoredDtype, string>> = { F32: weightF32, F16: weightF16, BF16: weightBf16 };

export type TileName = '4x8' | '16x8' | 'any';

interface Tile {
  readonly code: string;
  readonly rows: number;
  readonly cols: number;
}

/** WGSL that multiplies a tile, with the sizes that its constants have. */
export const tiles: Readonly<Record<TileName, Tile>> = {
  '4x8': { code: tile4x8, rows: 4, cols: 8 },
  '16x8': { code: tile16x8, rows: 16, cols: 8 },
  any: { code: tileAny, rows: 4, cols: 4 },
};

/** Side of the workgroups of the tile kernels, in invocations. */
const side = 8;

/** Workgroups that cover rows × cols. */
export function tileGroups(tile: TileName, rows: number, cols: number): [x: number, y: number] {
  return [Math.ceil(cols / (tiles[tile].cols * side)), Math.ceil(rows / (tiles[tile].rows * side))];
}

/** The tile for an inner size: by four where it divides, and larger where registers are cheap and loads are not. */
export function pickTile(inner: number, software: boolean): TileName {
  if (inner % 4 !== 0) return 'any';
  return software ? '16x8' : '4x8';
}

/** A record per (weight type, tile), made when first asked for: the pipeline cache needs one identity for each. */
export function variants<K>(
  make: (dtype: StoredDtype, tile: TileName) => K,
): (dtype: StoredDtype, tile: TileName) => K {
  const made = new Map<string, K>();
  return (dtype, tile) => {
    const key = `${dtype} ${tile}`;
    let record = made.get(key);
    if (record === undefined) {
      record = make(dtype, tile);
      made.set(key, record);
    }
    return record;
  };
}
