/** @file Gradient of the input of the root-mean-square normalization. One record per number that the norm adds to its stored weight. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import factorCode from '../../../shaders/norm/factor.wgsl?raw';
import code from '../../../shaders/norm/rmsnorm_backward.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

export const rmsnormBackward = memo((offset: number = 0) =>
  defineKernel({
    name: `rmsnormBackward${offset === 0 ? '' : ` + ${offset}`}`,
    code: gridCode + finiteCode + factorCode + code,
    buffers: { weight: 'read', x: 'read', dY: 'read', dX: 'write', rstd: 'write' },
    params: { rows: 'u32', hidden: 'u32', eps: 'f32', accumulate: 'u32' },
    constants: { OFFSET: offset },
    workgroups: ({ rows }) => [Math.ceil(rows / 64)],
  }),
);
