/** @file Causal grouped-query attention with a streaming softmax, over all keys or within a sliding window. */
import code from '../../../shaders/attention/attention.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

const record = memo((fit: 'inside' | 'aligned' | 'any', windowed: boolean, softcap: number) =>
  defineKernel({
    name:
      { inside: 'attention by 16', aligned: 'attention', any: 'attention any' }[fit] +
      (windowed ? ' in a window' : '') +
      (softcap === 0 ? '' : ` within ${softcap}`),
    code: gridCode + softcapCode + code,
    buffers: { qkv: 'read', y: 'write', lse: 'write' },
    params: {
      sequences: 'u32',
      seqLen: 'u32',
      heads: 'u32',
      kvHeads: 'u32',
      headDim: 'u32',
      scale: 'f32',
      taskFirst: 'u32',
      tasks: 'u32',
      window: 'u32',
    },
    constants: {
      ALIGNED: fit === 'any' ? 0 : 1,
      INSIDE: fit === 'inside' ? 1 : 0,
      WINDOW: windowed ? 1 : 0,
      SOFTCAP: softcap,
    },
    workgroups: ({ tasks }) => [Math.ceil(tasks / 64)],
    flops: (params) => pairFlops(params, params.heads, 2),
  }),
);

/**
 * The record for a head size: by four channels where they divide it, and without looking where 16 divide it. Over all keys
 * unless `windowed`; scores within `softcap` unless that is 0.
 */
export function attention(headDim: number, windowed = false, softcap = 0): ReturnType<typeof record> {
  const fit = headDim % 16 === 0 ? 'inside' : headDim % 4 === 0 ? 'aligned' : 'any';
  return record(fit, windowed, softcap);
}

/** Tasks (4 query rows, a head, 16 channels) of so many sequences. */
export function attentionTasks(sequences: number, seqLen: number, heads: number, headDim: number): number {
  return sequences * Math.ceil(seqLen / 4) * heads * Math.ceil(headDim / 16);
}

/** Keys that a query of a sequence sees at most, itself included: the layer's window, or all. */
export function windowIn({ window }: { readonly window?: number | undefined }, seqLen: number): number {
  return Math.min(window ?? seqLen, seqLen);
}

/** Pairs of a query and a key that it sees, in one sequence and head; `window` as `windowIn` gives it. */
export function seenPairs(seqLen: number, window: number): number {
  return window * seqLen - (window * (window - 1)) / 2;
}

interface Launch {
  readonly sequences: number;
  readonly seqLen: number;
  readonly heads: number;
  readonly headDim: number;
  readonly tasks: number;
  readonly window: number;
}

/**
 * Operations of so many dot products over headDim for every pair of a query and a key that it sees, for a launch's part of
 * the tasks. `taskHeads`: heads that tasks are counted by.
 */
export function pairFlops(
  { sequences, seqLen, heads, headDim, tasks, window }: Launch,
  taskHeads: number,
  products: number,
): number {
  const pairs = sequences * heads * seenPairs(seqLen, window);
  return (2 * products * headDim * pairs * tasks) / attentionTasks(sequences, seqLen, taskHeads, headDim);
}
