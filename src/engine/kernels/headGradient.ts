/** @file The loss's gradient with respect to a stretch of the vocabulary's logits, computed anew. */
import code from '../../../shaders/loss/head_gradient.wgsl?raw';
import { defineKernel } from '../kernel';
import { tileCode, tileGroups, variants } from './tile';

export const headGradient = variants((dtype, tile) =>
  defineKernel({
    name: `headGradient ${dtype} ${tile}`,
    code: tileCode(dtype, tile) + code,
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
    workgroups: ({ rows, stride }) => tileGroups(tile, rows, stride),
    flops: ({ rows, inner, cols }) => 2 * rows * inner * cols,
  }),
);
