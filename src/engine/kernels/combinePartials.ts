/** @file The parts of headPartials combined into a negative log-likelihood and a log-sum-exp per row. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/loss/combine_partials.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const combinePartials = defineKernel({
  name: 'combinePartials',
  code: gridCode + code,
  buffers: { partials: 'read', nll: 'write', lse: 'write' },
  params: { rows: 'u32', chunks: 'u32', nllFirst: 'u32' },
  workgroups: ({ rows }) => [Math.ceil(rows / 64)],
});
