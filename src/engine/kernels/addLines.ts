/** @file Lines of partial sums added to one. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/add_lines.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const addLines = defineKernel({
  name: 'addLines',
  code: gridCode + code,
  buffers: { lines: 'read', y: 'write' },
  params: { count: 'u32', length: 'u32' },
  workgroups: ({ length }) => [Math.ceil(length / 64)],
});
