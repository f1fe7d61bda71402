/** @file Gradient of the input of the root-mean-square normalisation. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/rmsnorm_backward.wgsl?raw';
import { defineKernel } from '../kernel';

export const rmsnormBackward = defineKernel({
  name: 'rmsnormBackward',
  code: gridCode + code,
  buffers: { weight: 'read', x: 'read', dY: 'read', dX: 'write', rstd: 'write' },
  params: { rows: 'u32', hidden: 'u32', eps: 'f32', accumulate: 'u32' },
  workgroups: ({ rows }) => [Math.ceil(rows / 64)],
});
