/**
 * @file The matmuls of low-rank factors, between rows that are wide and rows of `rank` numbers: down to them, up from them, the
 * gradient of a factor, and the sum of a matrix and the product of its factors.
 *
 * A row of rank numbers is a tile wide or two: the kernels that write such rows, or columns, have grids of their own over the tiles of
 * the other matmuls.
 */
import dropCode from '../../../shaders/adapter/drop.wgsl?raw';
import dropoutCode from '../../../shaders/adapter/dropout.wgsl?raw';
import gradientCode from '../../../shaders/adapter/factor_gradient.wgsl?raw';
import mergeCode from '../../../shaders/adapter/merge.wgsl?raw';
import narrowCode from '../../../shaders/adapter/narrow.wgsl?raw';
import narrowGradientCode from '../../../shaders/adapter/narrow_gradient.wgsl?raw';
import widenCode from '../../../shaders/adapter/widen.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { type Dropout, dropoutThreshold } from '../../numerics/dropout';
import { defineKernel, type Kernel } from '../gpu/kernel';
import { backTiles } from './backTile';
import { memo } from './memo';
import { tileCode, tileOf, weightCode } from './tile';

/** The tiles that both directions have, and whose invocations work alone. */
const lowRankTiles = ['4x8', '16x8', 'any'] as const;
export type LowRankTile = (typeof lowRankTiles)[number];

/** The tile for operands whose row lengths and offsets are `sizes`: by four where it divides them all. */
export function lowRankTile(sizes: readonly number[], largeTiles: boolean): LowRankTile {
  if (sizes.some((size) => size % 4 !== 0)) return 'any';
  return largeTiles ? '16x8' : '4x8';
}

const dropping = { seed: 'u32', threshold: 'u32', kept: 'f32' } as const;

/** Few invocations of a large tile cover the rows: small workgroups give each core some. */
const groupOf = (tile: LowRankTile): number => (tile === '16x8' ? 4 : 64);

/** Workgroups of invocations that take a tile each. */
const groups = (tile: LowRankTile, down: number, across: number): [number] => [
  Math.ceil((down * across) / groupOf(tile)),
];

/** y [rows, rank] = x [rows, inner] · weightᵀ, of a factor A [rank, inner]. */
export const narrow = memo((tile: LowRankTile) =>
  defineKernel({
    name: `narrow ${tile}`,
    code: gridCode + tileCode('F32', tile) + narrowCode,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', first: 'u32', inner: 'u32', rank: 'u32' },
    constants: { WORKGROUP: groupOf(tile) },
    workgroups: ({ rows, rank }) => {
      const { rows: tall, cols } = tileOf(tile);
      return groups(tile, Math.ceil(rows / tall), Math.ceil(rank / cols));
    },
    flops: ({ rows, inner, rank }) => 2 * rows * inner * rank,
  }),
);

/** y [rows, rank] = some columns of dY [rows, stride] · weight, of a factor B [cols, rank]. */
export const narrowGradient = memo((tile: LowRankTile) =>
  defineKernel({
    name: `narrowGradient ${tile}`,
    code: gridCode + weightCode.F32 + backTiles[tile].matmul + narrowGradientCode,
    buffers: { weight: 'read', dY: 'read', y: 'write' },
    params: { rows: 'u32', first: 'u32', stride: 'u32', column: 'u32', cols: 'u32', rank: 'u32' },
    constants: { WORKGROUP: groupOf(tile) },
    workgroups: ({ rows, rank }) => {
      const { rows: tall, cols } = backTiles[tile];
      return groups(tile, Math.ceil(rows / tall), Math.ceil(rank / cols));
    },
    flops: ({ rows, cols, rank }) => 2 * rows * cols * rank,
  }),
);

/** The columns first … first + wide of y += scale · drop(x [rows, rank] · weight). Steps say how the factor lies. */
export const widen = defineKernel({
  name: 'widen',
  code: gridCode + dropoutCode + widenCode,
  buffers: { weight: 'read', x: 'read', y: 'write' },
  params: {
    ...{ rows: 'u32', xFirst: 'u32', yFirst: 'u32', stride: 'u32', first: 'u32', wide: 'u32' },
    ...{ rank: 'u32', kStep: 'u32', rStep: 'u32', scale: 'f32' },
    ...dropping,
  },
  workgroups: ({ rows, wide }) => [Math.ceil((Math.ceil(rows / 4) * Math.ceil(wide / 4)) / 64)],
  flops: ({ rows, wide, rank }) => 2 * rows * wide * rank,
});

/** The gradient of a factor (+)= scale · wideᵀ · narrow, for `columns` columns of the wide rows dY. Steps say how the factor lies. */
export const factorGradient = memo((tile: LowRankTile) =>
  defineKernel({
    name: `factorGradient ${tile}`,
    code: gridCode + backTiles[tile].gradient + gradientCode,
    buffers: { y: 'write', x: 'read', dY: 'read' },
    params: {
      ...{ rows: 'u32', stride: 'u32', first: 'u32', kFirst: 'u32', columns: 'u32' },
      ...{ rank: 'u32', kStep: 'u32', rStep: 'u32', accumulate: 'u32', scale: 'f32' },
    },
    constants: { WORKGROUP: groupOf(tile) },
    workgroups: ({ columns, rank }) => {
      const { rows: tall, cols } = backTiles[tile];
      return groups(tile, Math.ceil(columns / tall), Math.ceil(rank / cols));
    },
    flops: ({ rows, columns, rank }) => 2 * rows * columns * rank,
  }),
);

/** Rows of y = those of a matrix + scale · b · a; a copy of them with rank 0. */
export const merge = memo((dtype: StoredDtype) =>
  defineKernel({
    name: `merge ${dtype}`,
    code: gridCode + weightCode[dtype] + mergeCode,
    buffers: { weight: 'read', a: 'read', b: 'read', y: 'write' },
    params: { first: 'u32', rows: 'u32', inner: 'u32', bFirst: 'u32', rank: 'u32', scale: 'f32' },
    workgroups: ({ rows, inner }) => [Math.ceil((Math.ceil(rows / 8) * Math.ceil(inner / 4)) / 64)],
    flops: ({ rows, inner, rank }) => 2 * rows * inner * rank,
  }),
);

/** y = x times dropout's factors. */
export const drop = defineKernel({
  name: 'drop',
  code: gridCode + dropoutCode + dropCode,
  buffers: { x: 'read', y: 'write' },
  params: { first: 'u32', count: 'u32', ...dropping },
  workgroups: ({ count }) => [Math.ceil(count / 4 / 64)],
});

/** All records but those of other types, each with every tile. */
export const adapterKernels: readonly Kernel[] = [
  ...lowRankTiles.flatMap((tile): Kernel[] => [narrow(tile), narrowGradient(tile), factorGradient(tile)]),
  widen,
  drop,
];

/** The parameters of a dropout; null has none. */
export function dropoutParams(dropout: Dropout | null): Record<'seed' | 'threshold' | 'kept', number> {
  if (dropout === null) return { seed: 0, threshold: 0, kept: 1 };
  const { seed, rate } = dropout;
  return { seed, threshold: dropoutThreshold(rate), kept: 1 / (1 - rate) };
}
