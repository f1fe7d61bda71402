/** @file silu(gate) ⊙ up of projections that are kept for the backward pass. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/mlp/gated.wgsl?raw';
import { defineKernel } from '../kernel';

export const gated = defineKernel({
  name: 'gated',
  code: gridCode + code,
  buffers: { gateUp: 'read', y: 'write' },
  params: { rows: 'u32', ffn: 'u32' },
  workgroups: ({ rows, ffn }) => [Math.ceil((rows * ffn) / 64)],
});
