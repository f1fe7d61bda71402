/** @file The loss's gradient with respect to the logits of a chunk of the vocabulary; computes the logits again. */
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import code from '../../../shaders/loss/head_gradient.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups } from './tile';

/** By weight type and tile; `softcap` bounds the logits, 0 does not. */
export const headGradient = memo((dtype: StoredDtype, tile: TileName, softcap: number = 0) =>
  defineKernel({
    name: `headGradient ${dtype} ${tile}${softcap === 0 ? '' : ` within ${softcap}`}`,
    code: tileCode(dtype, tile) + softcapCode + code,
    buffers: { weight: 'read', x: 'read', targets: 'read', lse: 'read', dNll: 'read', dLogits: 'write' },
    params: {
      rows: 'u32',
      first: 'u32',
      inner: 'u32',
      cols: 'u32',
      stride: 'u32',
      weightFirst: 'u32',
      vocabFirst: 'u32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows, stride }) => tileGroups(tile, rows, stride),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);
