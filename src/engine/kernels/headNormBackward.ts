/** @file Gradient of queries and keys before they were normed head by head; values pass. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/head_norm_backward.wgsl?raw';
import { defineKernel } from '../kernel';

export const headNormBackward = defineKernel({
  name: 'headNormBackward',
  code: gridCode + code,
  buffers: { weight: 'read', x: 'read', dY: 'read', dX: 'write', rstd: 'write' },
  params: { rows: 'u32', width: 'u32', queryHeads: 'u32', keyHeads: 'u32', headDim: 'u32', eps: 'f32' },
  workgroups: ({ rows, width, headDim }) => [Math.ceil((rows * width) / headDim / 64)],
});
