/** @file Backward of causal grouped-query attention: queries first, then keys and values. */
import keyCode from '../../../shaders/attention/backward_key.wgsl?raw';
import loads from '../../../shaders/attention/backward_loads.wgsl?raw';
import queryCode from '../../../shaders/attention/backward_query.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { pairFlops } from './attention';
import { memo } from './memo';

const params = {
  sequences: 'u32',
  seqLen: 'u32',
  heads: 'u32',
  kvHeads: 'u32',
  headDim: 'u32',
  scale: 'f32',
  taskFirst: 'u32',
  tasks: 'u32',
  window: 'u32',
} as const;
type Variant = [aligned: boolean, inside: boolean, fours: number, whole: boolean, windowed: boolean, softcap: number];
const workgroups = ({ tasks }: Readonly<Record<keyof typeof params, number>>): [number] => [Math.ceil(tasks / 64)];

/**
 * The records for a head size: by four channels where they divide it; over all keys unless `windowed`; scores within `softcap`
 * unless that is 0. Tasks are counted as in the forward pass.
 */
export function attentionBackward(headDim: number, windowed = false, softcap = 0): ReturnType<typeof records> {
  const aligned = headDim % 4 === 0;
  const fours = Math.min(4, Math.ceil(headDim / 4));
  const inside = aligned && (headDim % 16 === 0 || headDim < 16);
  const whole = headDim <= 16;
  return records(aligned, inside, fours, whole, windowed, softcap);
}

const records = memo((...[aligned, inside, fours, whole, windowed, softcap]: Variant) => {
  const name = `${inside ? '' : aligned ? 'aligned ' : 'any '}${4 * fours} channels${whole ? '' : ' of more'}${windowed ? ' in a window' : ''}${softcap === 0 ? '' : ` within ${softcap}`}`;
  const constants = {
    ALIGNED: aligned ? 1 : 0,
    INSIDE: inside ? 1 : 0,
    FOURS: fours,
    WHOLE: whole ? 1 : 0,
    WINDOW: windowed ? 1 : 0,
    SOFTCAP: softcap,
  };
  return {
    /** dQ, and delta for the other. */
    query: defineKernel({
      name: `attentionBackward query ${name}`,
      code: gridCode + softcapCode + loads + queryCode,
      buffers: { qkv: 'read', dY: 'read', lse: 'read', y: 'read', dQkv: 'write', delta: 'write' },
      params,
      constants,
      workgroups,
      flops: (launch) => pairFlops(launch, launch.heads, 3),
    }),
    /** dK and dV. */
    key: defineKernel({
      name: `attentionBackward key ${name}`,
      code: gridCode + softcapCode + loads + keyCode,
      buffers: { qkv: 'read', dY: 'read', lse: 'read', delta: 'read', dQkv: 'write' },
      params,
      constants,
      workgroups,
      flops: (launch) => pairFlops(launch, launch.kvHeads, 4),
    }),
  };
});
