/** @file A bias added to columns of rows, in place. */
import code from '../../../shaders/attention/bias.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const bias = defineKernel({
  name: 'bias',
  code: gridCode + code,
  buffers: { bias: 'read', y: 'write' },
  params: { rows: 'u32', cols: 'u32', stride: 'u32', rowFirst: 'u32', yFirst: 'u32', biasFirst: 'u32' },
  workgroups: ({ rows, cols }) => [Math.ceil((rows * cols) / 64)],
});
