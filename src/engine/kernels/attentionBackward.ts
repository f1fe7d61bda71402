/** @file Backward of causal grouped-query attention: queries first, then keys and values. */
import keyCode from '../../../shaders/attention/backward_key.wgsl?raw';
import loads from '../../../shaders/attention/backward_loads.wgsl?raw';
import queryCode from '../../../shaders/attention/backward_query.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import { defineKernel } from '../kernel';

const params = {
  sequences: 'u32',
  seqLen: 'u32',
  heads: 'u32',
  kvHeads: 'u32',
  headDim: 'u32',
  scale: 'f32',
  taskFirst: 'u32',
  tasks: 'u32',
} as const;
const workgroups = ({ tasks }: { tasks: number }): [number] => [Math.ceil(tasks / 64)];

const records = (aligned: boolean) => ({
  /** dQ, and delta for the other. */
  query: defineKernel({
    name: `attentionBackward query${aligned ? '' : ' any'}`,
    code: gridCode + loads + queryCode,
    buffers: { qkv: 'read', dY: 'read', lse: 'read', y: 'read', dQkv: 'write', delta: 'write' },
    params,
    constants: { ALIGNED: aligned ? 1 : 0 },
    workgroups,
  }),
  /** dK and dV. */
  key: defineKernel({
    name: `attentionBackward key${aligned ? '' : ' any'}`,
    code: gridCode + loads + keyCode,
    buffers: { qkv: 'read', dY: 'read', lse: 'read', delta: 'read', dQkv: 'write' },
    params,
    constants: { ALIGNED: aligned ? 1 : 0 },
    workgroups,
  }),
});

const aligned = records(true);
const any = records(false);

/** The records for a head size: by four channels where they divide it. Tasks are counted as in the forward pass. */
export function attentionBackward(headDim: number): typeof aligned {
  return headDim % 4 === 0 ? aligned : any;
}
