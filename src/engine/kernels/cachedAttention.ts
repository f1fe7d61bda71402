/** @file Attention of a few queries against keys and values of tokens before them: append, score, mix, combine. */
import appendCode from '../../../shaders/cache/cache_append.wgsl?raw';
import combineCode from '../../../shaders/cache/cache_combine.wgsl?raw';
import mixCode from '../../../shaders/cache/cache_mix.wgsl?raw';
import scoresCode from '../../../shaders/cache/cache_scores.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

/** Keys that one invocation mixes: few enough that a single query keeps a GPU busy, enough that joining costs little. */
export const chunkKeys = 64;

/** Puts the keys and values of some tokens into their slots. */
export const cacheAppend = defineKernel({
  name: 'cache append',
  code: gridCode + appendCode,
  buffers: { qkv: 'read', cache: 'write' },
  params: { rows: 'u32', cols: 'u32', skip: 'u32', first: 'u32', slots: 'u32' },
  workgroups: ({ rows, cols }) => [Math.ceil((rows * cols) / 64)],
});

const scoresRecord = memo((aligned: boolean, softcap: number) =>
  defineKernel({
    name: `cache scores${aligned ? '' : ' any'}${softcap === 0 ? '' : ` within ${softcap}`}`,
    code: gridCode + softcapCode + scoresCode,
    buffers: { qkv: 'read', cache: 'read', scores: 'write' },
    params: {
      rows: 'u32',
      rowFirst: 'u32',
      first: 'u32',
      keyFirst: 'u32',
      keys: 'u32',
      slots: 'u32',
      heads: 'u32',
      kvHeads: 'u32',
      headDim: 'u32',
      window: 'u32',
      scale: 'f32',
    },
    constants: { ALIGNED: aligned ? 1 : 0, SOFTCAP: softcap },
    workgroups: ({ rows, heads, keys }) => [Math.ceil((rows * heads * keys) / 64)],
    flops: ({ rows, heads, keys, headDim }) => 2 * rows * heads * keys * headDim,
  }),
);

/** The record of scores for a head size, within `softcap` unless that is 0. */
export function cacheScores(headDim: number, softcap = 0): ReturnType<typeof scoresRecord> {
  return scoresRecord(headDim % 4 === 0, softcap);
}

const mixRecord = (aligned: boolean) =>
  defineKernel({
    name: `cache mix${aligned ? '' : ' any'}`,
    code: gridCode + mixCode,
    buffers: { scores: 'read', cache: 'read', sums: 'write', values: 'write' },
    params: {
      rows: 'u32',
      keyFirst: 'u32',
      keys: 'u32',
      slots: 'u32',
      heads: 'u32',
      kvHeads: 'u32',
      headDim: 'u32',
      chunk: 'u32',
    },
    constants: { ALIGNED: aligned ? 1 : 0 },
    workgroups: ({ rows, heads, keys, headDim, chunk }) => [
      Math.ceil((rows * heads * Math.ceil(keys / chunk) * Math.ceil(headDim / 4)) / 64),
    ],
    flops: ({ rows, heads, keys, headDim }) => 2 * rows * heads * keys * headDim,
  });
const alignedMix = mixRecord(true);
const anyMix = mixRecord(false);

/** The record of mixed values for a head size. */
export function cacheMix(headDim: number): ReturnType<typeof mixRecord> {
  return headDim % 4 === 0 ? alignedMix : anyMix;
}

/** Joins the chunks of keys. */
export const cacheCombine = defineKernel({
  name: 'cache combine',
  code: gridCode + combineCode,
  buffers: { sums: 'read', values: 'read', y: 'write' },
  params: { rows: 'u32', heads: 'u32', headDim: 'u32', chunks: 'u32', yFirst: 'u32' },
  workgroups: ({ rows, heads, headDim }) => [Math.ceil((rows * heads * Math.ceil(headDim / 4)) / 64)],
});
