/** @file Root-mean-square normalisation of rows. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/rmsnorm.wgsl?raw';
import { defineKernel } from '../kernel';

export const rmsnorm = defineKernel({
  name: 'rmsnorm',
  code: gridCode + code,
  buffers: { weight: 'read', x: 'read', y: 'write' },
  params: { rows: 'u32', hidden: 'u32', eps: 'f32', xFirst: 'u32' },
  workgroups: ({ rows }) => [Math.ceil(rows / 64)],
});
