/** @file The head fused with the divergence of two models: sums of each row and chunk of the vocabulary. */
import code from '../../../shaders/loss/divergence_partials.wgsl?raw';
import { defineKernel } from '../kernel';
import { tileCode, tileGroups, tiles, variants } from './tile';

export const divergencePartials = variants((dtype, tile) =>
  defineKernel({
    name: `divergencePartials ${dtype} ${tile}`,
    code: tileCode(dtype, tile) + code,
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
    workgroups: ({ rows, cols, chunkCols }) => tileGroups(tile, rows, Math.ceil(cols / chunkCols) * tiles[tile].cols),
    flops: ({ rows, inner, cols }) => 4 * rows * inner * cols,
  }),
);
