/** @file y = x · weightᵀ, or y += x · weightᵀ. */
import code from '../../../shaders/linear/linear.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../kernel';
import { type TileName, tileGroups, tiles, variants, weightCode } from './tile';

const record = (dtype: StoredDtype, tile: TileName, accumulate: boolean) =>
  defineKernel({
    name: `linear ${dtype} ${tile}${accumulate ? ' accumulate' : ''}`,
    code: weightCode[dtype] + tiles[tile].code + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', cols: 'u32', xFirst: 'u32', yFirst: 'u32' },
    constants: { ACCUMULATE: accumulate ? 1 : 0 },
    workgroups: ({ rows, cols }) => tileGroups(tile, rows, cols),
  });

/** Replaces y. */
export const linear = variants((dtype, tile) => record(dtype, tile, false));

/** Adds to y: the way back into the residual stream. */
export const linearAccumulate = variants((dtype, tile) => record(dtype, tile, true));
