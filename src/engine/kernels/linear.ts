/** @file y = x · weightᵀ, or y += x · weightᵀ: a projection's matmul. */
import code from '../../../shaders/linear/linear.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups } from './tile';

export const linear = memo((dtype: StoredDtype, tile: TileName) =>
  defineKernel({
    name: `linear ${dtype} ${tile}`,
    code: tileCode(dtype, tile) + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', cols: 'u32', xFirst: 'u32', yFirst: 'u32', accumulate: 'u32' },
    workgroups: ({ rows, cols }) => tileGroups(tile, rows, cols),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);
