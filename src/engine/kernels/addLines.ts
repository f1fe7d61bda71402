/** @file Sums over the lines of a matrix, column by column: over all of them, or over parts of so many. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/add_lines.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const addLines = defineKernel({
  name: 'addLines',
  code: gridCode + code,
  buffers: { lines: 'read', y: 'write' },
  params: { count: 'u32', stride: 'u32', first: 'u32', length: 'u32', part: 'u32', accumulate: 'u32' },
  workgroups: ({ count, length, part }) => [Math.ceil((Math.ceil(count / part) * length) / 64)],
});
