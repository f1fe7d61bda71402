/** @file The parts of divergencePartials combined into a divergence per row. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/loss/combine_divergence.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const combineDivergence = defineKernel({
  name: 'combineDivergence',
  code: gridCode + code,
  buffers: { partials: 'read', kl: 'write' },
  params: { rows: 'u32', chunks: 'u32', klFirst: 'u32' },
  workgroups: ({ rows }) => [Math.ceil(rows / 64)],
});
