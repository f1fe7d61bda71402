/** @file Gradient of queries and keys before each head was normalized; values pass. One record per number that the norm adds to its stored weight. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import factorCode from '../../../shaders/norm/factor.wgsl?raw';
import code from '../../../shaders/norm/head_norm_backward.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

export const headNormBackward = memo((offset: number = 0) =>
  defineKernel({
    name: `headNormBackward${offset === 0 ? '' : ` + ${offset}`}`,
    code: gridCode + finiteCode + factorCode + code,
    buffers: { weight: 'read', x: 'read', dY: 'read', dX: 'write', rstd: 'write' },
    params: {
      rows: 'u32',
      width: 'u32',
      queryHeads: 'u32',
      keyHeads: 'u32',
      queryDim: 'u32',
      keyDim: 'u32',
      eps: 'f32',
    },
    constants: { OFFSET: offset },
    workgroups: ({ rows, queryHeads, keyHeads }) => [Math.ceil((rows * (queryHeads + 2 * keyHeads)) / 64)],
  }),
);
