/** @file What the kernels with a weight share: how its type is read, and how a matmul with it is cut into tiles. */
import weightBf16 from '../../../shaders/common/weight_bf16.wgsl?raw';
import weightF16 from '../../../shaders/common/weight_f16.wgsl?raw';
import weightF32 from '../../../shaders/common/weight_f32.wgsl?raw';
import tile4x8 from '../../../shaders/linear/tile_4x8.wgsl?raw';
import tile16x8 from '../../../shaders/linear/tile_16x8.wgsl?raw';
import tileAny from '../../../shaders/linear/tile_any.wgsl?raw';
import tileByFour from '../../../shaders/linear/tile_by_four.wgsl?raw';
import tileF16 from '../../../shaders/linear/tile_f16.wgsl?raw';
import tileSubgroup from '../../../shaders/linear/tile_subgroup.wgsl?raw';
import tileWorkgroup from '../../../shaders/linear/tile_workgroup.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { include } from './include';

/** WGSL that binds `weight` and reads it. */
export const weightCode: Readonly<Record<StoredDtype, string>> = { F32: weightF32, F16: weightF16, BF16: weightBf16 };

/** WebGPU features that a tile may need, and how its WGSL turns them on. */
const directives = { subgroups: 'enable subgroups;\n', 'shader-f16': 'enable f16;\n' };

export type TileFeature = keyof typeof directives;

interface Tile {
  readonly code: string;
  /** Of one invocation's tile. */
  readonly rows: number;
  readonly cols: number;
  /** Invocations of a workgroup: columns of tiles by rows of tiles. */
  readonly group: readonly [cols: number, rows: number];
  /** Reads by four: only for an inner size that four divides. */
  readonly byFour: boolean;
  /** What the device must offer. */
  readonly feature?: TileFeature;
}

/** WGSL that multiplies a tile, with the sizes that its constants have. */
export const tiles = {
  '4x8': { code: tile4x8, rows: 4, cols: 8, group: [8, 8], byFour: true },
  '16x8': { code: include(tile16x8), rows: 16, cols: 8, group: [8, 8], byFour: true },
  any: { code: tileAny, rows: 4, cols: 4, group: [8, 8], byFour: false },
  workgroup: { code: tileWorkgroup, rows: 8, cols: 8, group: [8, 8], byFour: true },
  subgroup: { code: tileSubgroup, rows: 8, cols: 8, group: [64, 1], byFour: true, feature: 'subgroups' },
  f16: { code: tileF16, rows: 4, cols: 8, group: [8, 8], byFour: true, feature: 'shader-f16' },
} as const satisfies Readonly<Record<string, Tile>>;

export type TileName = keyof typeof tiles;

/** A tile's record, seen alike for all names. */
export function tileOf(name: TileName): Tile {
  return tiles[name];
}

/** WGSL in front of a kernel: the directives, the weight's reader and the tile. */
export function tileCode(dtype: StoredDtype, name: TileName): string {
  const { feature, byFour, code } = tileOf(name);
  return (feature === undefined ? '' : directives[feature]) + weightCode[dtype] + (byFour ? tileByFour : '') + code;
}

/** Workgroups that cover rows × cols. */
export function tileGroups(name: TileName, rows: number, cols: number): [x: number, y: number] {
  const { group, ...tile } = tileOf(name);
  return [Math.ceil(cols / (tile.cols * group[0])), Math.ceil(rows / (tile.rows * group[1]))];
}

/** The tile for an inner size where nothing was measured: by four where it divides, and larger where loads are dear. */
export function pickTile(inner: number, largeTiles: boolean): '4x8' | '16x8' | 'any' {
  if (inner % 4 !== 0) return 'any';
  return largeTiles ? '16x8' : '4x8';
}

/**
 * The tiles that a device may run for an inner size. Products in float16 only where the caller allows them: their error
 * of about 2⁻¹¹ per term exceeds the 1e-4 that every other tile keeps.
 */
export function offeredTiles(features: readonly string[], inner: number, float16Matmuls = false): TileName[] {
  return (Object.keys(tiles) as TileName[]).filter((name) => {
    const { byFour, feature } = tileOf(name);
    if (byFour && inner % 4 !== 0) return false;
    if (name === 'f16' && !float16Matmuls) return false;
    return feature === undefined || features.includes(feature);
  });
}
