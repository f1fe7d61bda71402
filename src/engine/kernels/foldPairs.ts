/** @file Many pairs of partial sums folded into few. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/fold_pairs.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const foldPairs = defineKernel({
  name: 'foldPairs',
  code: gridCode + code,
  buffers: { pairs: 'read', sums: 'write' },
  params: { length: 'u32', count: 'u32', first: 'u32' },
  workgroups: ({ count }) => [Math.ceil(count / 64)],
});

/** Sums for so many pairs: few enough to read back, each short enough to be exact to float32's rounding. */
export function foldedCount(pairs: number): number {
  return Math.min(4096, Math.ceil(pairs / 64));
}
