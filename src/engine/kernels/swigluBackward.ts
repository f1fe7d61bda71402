/** @file Gradients of the gated activation in place, and the activation itself. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/mlp/swiglu_backward.wgsl?raw';
import { defineKernel } from '../kernel';

export const swigluBackward = defineKernel({
  name: 'swigluBackward',
  code: gridCode + code,
  buffers: { gateUp: 'write', y: 'write' },
  params: { rows: 'u32', ffn: 'u32' },
  workgroups: ({ rows, ffn }) => [Math.ceil((rows * ffn) / 64)],
});
