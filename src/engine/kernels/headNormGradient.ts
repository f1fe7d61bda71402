/** @file Parts of the gradient of the weight that normalizes the heads of queries or keys. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/head_norm_gradient.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const headNormGradient = defineKernel({
  name: 'headNormGradient',
  code: gridCode + code,
  buffers: { x: 'read', dY: 'read', rstd: 'read', partials: 'write' },
  params: {
    rows: 'u32',
    partRows: 'u32',
    width: 'u32',
    first: 'u32',
    heads: 'u32',
    headDim: 'u32',
    rstdStride: 'u32',
    rstdFirst: 'u32',
  },
  workgroups: ({ rows, partRows, headDim }) => [Math.ceil((Math.ceil(rows / partRows) * headDim) / 64)],
});
