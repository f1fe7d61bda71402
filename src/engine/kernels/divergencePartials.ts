/** @file The head fused with the divergence of two models: sums of each row and chunk of the vocabulary. */
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import code from '../../../shaders/loss/divergence_partials.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups, tiles } from './tile';

/** By weight type and tile; `softcap` bounds the logits, 0 does not. */
export const divergencePartials = memo((dtype: StoredDtype, tile: TileName, softcap: number = 0) =>
  defineKernel({
    name: `divergencePartials ${dtype} ${tile}${softcap === 0 ? '' : ` within ${softcap}`}`,
    code: tileCode(dtype, tile) + softcapCode + code,
    buffers: { weight: 'read', x: 'read', partials: 'write' },
    params: {
      rows: 'u32',
      inner: 'u32',
      cols: 'u32',
      pFirst: 'u32',
      qFirst: 'u32',
      chunkCols: 'u32',
      chunkFirst: 'u32',
      stride: 'u32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows, cols, chunkCols }) => tileGroups(tile, rows, Math.ceil(cols / chunkCols) * tiles[tile].cols),
    flops: ({ rows, inner, cols }) => 4 * rows * inner * cols,
  }),
);
