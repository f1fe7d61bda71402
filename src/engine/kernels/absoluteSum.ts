/** @file Σ|weight| as partial sums, to be added in float64. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/absolute_sum.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { weightCode } from './tile';

const record = (dtype: StoredDtype) =>
  defineKernel({
    name: `absoluteSum ${dtype}`,
    code: gridCode + weightCode[dtype] + code,
    buffers: { weight: 'read', partials: 'write' },
    params: { vectors: 'u32', count: 'u32', first: 'u32' },
    workgroups: ({ count }) => [Math.ceil(count / 64)],
  });

export const absoluteSum = { F32: record('F32'), F16: record('F16'), BF16: record('BF16') };

/**
 * Partial sums for a weight of so many groups of four: each short enough to be exact to float32's rounding, and as many as
 * make groups of four again, so that a second launch may add them up.
 */
export function partialCount(vectors: number): number {
  return Math.ceil(vectors / 256) * 4;
}
