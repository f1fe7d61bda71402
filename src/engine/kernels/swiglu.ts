/** @file silu(x · gateᵀ) ⊙ (x · upᵀ) in one kernel, or with GELU; weight holds the gate rows, then the up rows. */
import geluCode from '../../../shaders/mlp/gelu_tanh.wgsl?raw';
import siluCode from '../../../shaders/mlp/silu.wgsl?raw';
import code from '../../../shaders/mlp/swiglu.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { type TileName, tileCode, tileGroups } from './tile';

const record = (name: string, activation: string, dtype: StoredDtype, tile: TileName) =>
  defineKernel({
    name: `${name} ${dtype} ${tile}`,
    code: tileCode(dtype, tile) + activation + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', ffn: 'u32', xFirst: 'u32', yFirst: 'u32' },
    workgroups: ({ rows, ffn }) => tileGroups(tile, rows, 2 * ffn),
    flops: ({ rows, inner, ffn }) => 4 * rows * inner * ffn,
  });

export const swiglu = memo((dtype: StoredDtype, tile: TileName) => record('swiglu', siluCode, dtype, tile));
export const geglu = memo((dtype: StoredDtype, tile: TileName) => record('geglu', geluCode, dtype, tile));
