/**
 * @file The matmuls of low-rank factors, between rows that are `wide` and rows of `rank` numbers: down to them, up from them, and the
 * gradient of a factor. The wide side may be some columns of longer rows, and may have dropout's factors.
 *
 * One kernel serves both factors, A [rank, inner] and B [cols, rank]: steps say how the factor lies.
 */
import dropoutCode from '../../../shaders/adapter/dropout.wgsl?raw';
import gradientCode from '../../../shaders/adapter/factor_gradient.wgsl?raw';
import narrowCode from '../../../shaders/adapter/narrow.wgsl?raw';
import widenCode from '../../../shaders/adapter/widen.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import { type Dropout, dropoutThreshold } from '../../numerics/dropout';
import { defineKernel } from '../gpu/kernel';

const common = gridCode + dropoutCode;
const dropping = { scale: 'f32', seed: 'u32', threshold: 'u32', kept: 'f32' } as const;
const factor = { rank: 'u32', kStep: 'u32', rStep: 'u32' } as const;

/** y [rows, rank] = scale · (drop(x) · weight): the columns first … first + wide of x. */
export const narrow = defineKernel({
  name: 'narrow',
  code: common + narrowCode,
  buffers: { weight: 'read', x: 'read', y: 'write' },
  params: { rows: 'u32', xFirst: 'u32', stride: 'u32', first: 'u32', wide: 'u32', ...factor, ...dropping },
  workgroups: ({ rows, rank }) => [Math.ceil((Math.ceil(rows / 4) * Math.ceil(rank / 4)) / 64)],
  flops: ({ rows, wide, rank }) => 2 * rows * wide * rank,
});

/** The columns first … first + wide of y += scale · drop(x [rows, rank] · weight). */
export const widen = defineKernel({
  name: 'widen',
  code: common + widenCode,
  buffers: { weight: 'read', x: 'read', y: 'write' },
  params: {
    ...{ rows: 'u32', xFirst: 'u32', yFirst: 'u32', stride: 'u32', first: 'u32', wide: 'u32' },
    ...factor,
    ...dropping,
  },
  workgroups: ({ rows, wide }) => [Math.ceil((Math.ceil(rows / 4) * Math.ceil(wide / 4)) / 64)],
  flops: ({ rows, wide, rank }) => 2 * rows * wide * rank,
});

/** The gradient of a factor (+)= scale · narrowᵀ · drop(x), for `columns` columns of the wide side. */
export const factorGradient = defineKernel({
  name: 'factorGradient',
  code: common + gradientCode,
  buffers: { narrow: 'read', x: 'read', y: 'write' },
  params: {
    ...{ rows: 'u32', stride: 'u32', first: 'u32', wide: 'u32', kFirst: 'u32', columns: 'u32' },
    ...factor,
    accumulate: 'u32',
    ...dropping,
  },
  workgroups: ({ columns, rank }) => [Math.ceil((Math.ceil(columns / 4) * Math.ceil(rank / 4)) / 64)],
  flops: ({ rows, columns, rank }) => 2 * rows * columns * rank,
});

export const adapterKernels = [narrow, widen, factorGradient] as const;

/** The parameters of a dropout; null has none. */
export function dropoutParams(dropout: Dropout | null): Record<'seed' | 'threshold' | 'kept', number> {
  if (dropout === null) return { seed: 0, threshold: 0, kept: 1 };
  const { seed, rate } = dropout;
  return { seed, threshold: dropoutThreshold(rate), kept: 1 / (1 - rate) };
}
