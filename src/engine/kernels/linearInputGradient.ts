/** @file dX = dY · weight, or dX += dY · weight, of the same [out, in] weight that the forward pass reads. */
import code from '../../../shaders/linear/linear_input_gradient.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { type BackTileName, backTileGroups, backTiles } from './backTile';
import { memo } from './memo';
import { weightCode } from './tile';

export const linearInputGradient = memo((dtype: StoredDtype, tile: BackTileName) =>
  defineKernel({
    name: `linearInputGradient ${dtype} ${tile}`,
    code: weightCode[dtype] + backTiles[tile].matmul + code,
    buffers: { weight: 'read', dY: 'read', dX: 'write' },
    params: {
      rows: 'u32',
      first: 'u32',
      cols: 'u32',
      stride: 'u32',
      weightFirst: 'u32',
      inner: 'u32',
      accumulate: 'u32',
    },
    workgroups: ({ rows, inner }) => backTileGroups(tile, rows, inner),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);
