/** @file Root-mean-square normalisation of queries and keys, each head by itself, in place. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/head_norm.wgsl?raw';
import { defineKernel } from '../kernel';

export const headNorm = defineKernel({
  name: 'headNorm',
  code: gridCode + code,
  buffers: { weight: 'read', x: 'write' },
  params: { rows: 'u32', width: 'u32', queryHeads: 'u32', keyHeads: 'u32', headDim: 'u32', eps: 'f32' },
  workgroups: ({ rows, queryHeads, keyHeads }) => [Math.ceil((rows * (queryHeads + keyHeads)) / 64)],
});
