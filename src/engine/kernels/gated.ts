/** @file silu(gate) ⊙ up, or with GELU, of projections that are kept for the backward pass. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/mlp/gated.wgsl?raw';
import geluCode from '../../../shaders/mlp/gelu_tanh.wgsl?raw';
import siluCode from '../../../shaders/mlp/silu.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

const record = (name: string, activation: string) =>
  defineKernel({
    name,
    code: gridCode + activation + code,
    buffers: { gateUp: 'read', y: 'write' },
    params: { rows: 'u32', ffn: 'u32' },
    workgroups: ({ rows, ffn }) => [Math.ceil((rows * ffn) / 64)],
  });

export const gated = record('gated', siluCode);
export const gatedGelu = record('gatedGelu', geluCode);
