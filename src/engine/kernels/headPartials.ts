/** @file The head fused with the loss: log-sum-exp parts of each row and chunk of the vocabulary. */
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import code from '../../../shaders/loss/head_partials.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups, tiles } from './tile';

/** By weight type and tile; `softcap` bounds the logits, 0 does not. */
export const headPartials = memo((dtype: StoredDtype, tile: TileName, softcap: number = 0) =>
  defineKernel({
    name: `headPartials ${dtype} ${tile}${softcap === 0 ? '' : ` within ${softcap}`}`,
    code: tileCode(dtype, tile) + softcapCode + code,
    buffers: { weight: 'read', x: 'read', targets: 'read', partials: 'write' },
    params: {
      rows: 'u32',
      inner: 'u32',
      cols: 'u32',
      xFirst: 'u32',
      targetFirst: 'u32',
      vocabFirst: 'u32',
      chunkCols: 'u32',
      chunkFirst: 'u32',
      stride: 'u32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows, cols, chunkCols }) => tileGroups(tile, rows, Math.ceil(cols / chunkCols) * tiles[tile].cols),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);

/** Columns of a chunk: enough chunks to keep a GPU busy, few enough that their parts stay small. */
export function chunkColumns(vocab: number): number {
  const most = 64;
  return Math.max(64, Math.ceil(vocab / most / 8) * 8);
}
