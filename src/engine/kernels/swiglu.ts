/** @file silu(x · gateᵀ) ⊙ (x · upᵀ) in one kernel; weight holds the gate rows, then the up rows. */
import code from '../../../shaders/mlp/swiglu.wgsl?raw';
import { defineKernel } from '../kernel';
import { tileCode, tileGroups, variants } from './tile';

export const swiglu = variants((dtype, tile) =>
  defineKernel({
    name: `swiglu ${dtype} ${tile}`,
    code: tileCode(dtype, tile) + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', ffn: 'u32', xFirst: 'u32', yFirst: 'u32' },
    workgroups: ({ rows, ffn }) => tileGroups(tile, rows, 2 * ffn),
    flops: ({ rows, inner, ffn }) => 4 * rows * inner * ffn,
  }),
);
