/** @file Rows normalized and added to others: the output of a sub-block on its way into the stream. One record per number that the norm adds to its stored weight. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/add_normalized.wgsl?raw';
import factorCode from '../../../shaders/norm/factor.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

export const addNormalized = memo((offset: number = 0) =>
  defineKernel({
    name: `addNormalized${offset === 0 ? '' : ` + ${offset}`}`,
    code: gridCode + finiteCode + factorCode + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { rows: 'u32', hidden: 'u32', eps: 'f32', yFirst: 'u32' },
    constants: { OFFSET: offset },
    workgroups: ({ rows }) => [Math.ceil(rows / 64)],
  }),
);
