/** @file Gradients of the gated activation, with SiLU or GELU, in place, and the activation itself. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import geluCode from '../../../shaders/mlp/gelu_tanh.wgsl?raw';
import siluCode from '../../../shaders/mlp/silu.wgsl?raw';
import code from '../../../shaders/mlp/swiglu_backward.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

const record = (name: string, activation: string) =>
  defineKernel({
    name,
    code: gridCode + activation + code,
    buffers: { gateUp: 'write', y: 'write' },
    params: { rows: 'u32', ffn: 'u32' },
    workgroups: ({ rows, ffn }) => [Math.ceil((rows * ffn) / 64)],
  });

export const swigluBackward = record('swigluBackward', siluCode);
export const gegluBackward = record('gegluBackward', geluCode);
