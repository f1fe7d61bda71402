/** @file Causal grouped-query attention with a streaming softmax. */
import code from '../../../shaders/attention/attention.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import { defineKernel } from '../kernel';

const record = (fit: 'inside' | 'aligned' | 'any') =>
  defineKernel({
    name: { inside: 'attention by 16', aligned: 'attention', any: 'attention any' }[fit],
    code: gridCode + code,
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
    },
    constants: { ALIGNED: fit === 'any' ? 0 : 1, INSIDE: fit === 'inside' ? 1 : 0 },
    workgroups: ({ tasks }) => [Math.ceil(tasks / 64)],
    flops: (params) => pairFlops(params, params.heads, 2),
  });

const inside = record('inside');
const aligned = record('aligned');
const any = record('any');

/** The record for a head size: by four channels where they divide it, and without looking where 16 divide it. */
export function attention(headDim: number): typeof any {
  if (headDim % 16 === 0) return inside;
  return headDim % 4 === 0 ? aligned : any;
}

/** Tasks (4 query rows, a head, 16 channels) of so many sequences. */
export function attentionTasks(sequences: number, seqLen: number, heads: number, headDim: number): number {
  return sequences * Math.ceil(seqLen / 4) * heads * Math.ceil(headDim / 16);
}

interface Launch {
  readonly sequences: number;
  readonly seqLen: number;
  readonly heads: number;
  readonly headDim: number;
  readonly tasks: number;
}

/**
 * Operations of so many products over headDim for every pair of a query and a key that it sees, for a launch's part of
 * the tasks. `taskHeads`: heads that tasks are counted by.
 */
export function pairFlops(
  { sequences, seqLen, heads, headDim, tasks }: Launch,
  taskHeads: number,
  products: number,
): number {
  const pairs = (sequences * heads * seqLen * (seqLen + 1)) / 2;
  return (2 * products * headDim * pairs * tasks) / attentionTasks(sequences, seqLen, taskHeads, headDim);
}
