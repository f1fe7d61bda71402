/** @file The logits of a chunk of the vocabulary. */
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import code from '../../../shaders/loss/head_logits.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups } from './tile';

/** By weight type and tile; `softcap` bounds the logits, 0 does not. */
export const headLogits = memo((dtype: StoredDtype, tile: TileName, softcap: number = 0) =>
  defineKernel({
    name: `headLogits ${dtype} ${tile}${softcap === 0 ? '' : ` within ${softcap}`}`,
    code: tileCode(dtype, tile) + softcapCode + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: {
      rows: 'u32',
      first: 'u32',
      inner: 'u32',
      cols: 'u32',
      stride: 'u32',
      weightFirst: 'u32',
      colFirst: 'u32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows, cols }) => tileGroups(tile, rows, cols),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);
