/** @file silu(x · gateᵀ) ⊙ (x · upᵀ) in one kernel; weight holds the gate rows, then the up rows. */
import code from '../../../shaders/mlp/swiglu.wgsl?raw';
import { defineKernel } from '../kernel';
import { tileGroups, tiles, variants, weightCode } from './tile';

export const swiglu = variants((dtype, tile) =>
  defineKernel({
    name: `swiglu ${dtype} ${tile}`,
    code: weightCode[dtype] + tiles[tile].code + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', ffn: 'u32', xFirst: 'u32', yFirst: 'u32' },
    workgroups: ({ rows, ffn }) => tileGroups(tile, rows, 2 * ffn),
  }),
);
