/** @file Root-mean-square normalization of queries and keys, each head by itself, in place. One record per number that the norm adds to its stored weight. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import factorCode from '../../../shaders/norm/factor.wgsl?raw';
import code from '../../../shaders/norm/head_norm.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

export const headNorm = memo((offset: number = 0) =>
  defineKernel({
    name: `headNorm${offset === 0 ? '' : ` + ${offset}`}`,
    code: gridCode + finiteCode + factorCode + code,
    buffers: { weight: 'read', x: 'write' },
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
    workgroups: ({ rows, queryHeads, keyHeads }) => [Math.ceil((rows * (queryHeads + keyHeads)) / 64)],
  }),
);
