/** @file Rotary position embedding of queries and keys, in place; with direction −1 its gradient. */
import code from '../../../shaders/attention/rope.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const rope = defineKernel({
  name: 'rope',
  code: gridCode + code,
  buffers: { table: 'read', qkv: 'write' },
  params: { rows: 'u32', seqLen: 'u32', heads: 'u32', headDim: 'u32', width: 'u32', direction: 'f32', first: 'u32' },
  workgroups: ({ rows, heads, headDim }) => [Math.ceil((rows * heads * headDim) / 2 / 64)],
});
