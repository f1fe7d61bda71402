/** @file Σ|weight ⊙ g| and Σ g² for a weight's gradient g = dYᵀ · x that is never stored. */
import columnCode from '../../../shaders/linear/column_salience.wgsl?raw';
import rowCode from '../../../shaders/linear/row_salience.wgsl?raw';
import takeCode from '../../../shaders/linear/salience_take.wgsl?raw';
import code from '../../../shaders/linear/weight_salience.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { type Access, defineKernel } from '../gpu/kernel';
import { type BackTileName, backTileGroups, backTiles } from './backTile';
import { memo } from './memo';
import { weightCode } from './tile';

const buffers = { weight: 'read', x: 'read', dY: 'read', carry: 'write', partials: 'write' } as const;

const record = <B extends string>(
  name: string,
  main: string,
  bound: Readonly<Record<B, Access>>,
  dtype: StoredDtype,
  tile: BackTileName,
) =>
  defineKernel({
    name: `${name} ${dtype} ${tile}`,
    code: weightCode[dtype] + backTiles[tile].gradient + takeCode + main,
    buffers: bound,
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
  });

export const weightSalience = memo((dtype: StoredDtype, tile: BackTileName) =>
  record('weightSalience', code, buffers, dtype, tile),
);

/** Beside the sums Σ|weight ⊙ g| of every row, or of every column, as lines by tile. */
export const lineSalience = {
  rows: memo((dtype: StoredDtype, tile: BackTileName) =>
    record('rowSalience', rowCode, { ...buffers, lines: 'write' as const }, dtype, tile),
  ),
  columns: memo((dtype: StoredDtype, tile: BackTileName) =>
    record('columnSalience', columnCode, { ...buffers, lines: 'write' as const }, dtype, tile),
  ),
};

/** Rows of tiles that cover the weight's rows, and partial sums that all tiles leave. */
export function salienceTiles(tile: BackTileName, cols: number, inner: number): { tileRows: number; partials: number } {
  const tileRows = Math.ceil(cols / backTiles[tile].rows);
  return { tileRows, partials: tileRows * Math.ceil(inner / backTiles[tile].cols) };
}

/** Lines [count, length] that all tiles leave. */
export function salienceLines(
  by: keyof typeof lineSalience,
  tile: BackTileName,
  cols: number,
  inner: number,
): { count: number; length: number } {
  return by === 'rows'
    ? { count: Math.ceil(inner / backTiles[tile].cols), length: cols }
    : { count: Math.ceil(cols / backTiles[tile].rows), length: inner };
}
