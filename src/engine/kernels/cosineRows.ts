/** @file Cosine similarity of pairs of rows. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/cosine_rows.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const cosineRows = defineKernel({
  name: 'cosineRows',
  code: gridCode + finiteCode + code,
  buffers: { a: 'read', b: 'read', y: 'write' },
  params: { rows: 'u32', hidden: 'u32', aFirst: 'u32', bFirst: 'u32', yFirst: 'u32' },
  workgroups: ({ rows }) => [Math.ceil(rows / 64)],
});
