/** @file |weight ⊙ g| and g² for the gradient g of a norm's weight. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/rmsnorm_salience.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

const record = (summed: boolean) =>
  defineKernel({
    name: summed ? 'rmsnormSalience of sums' : 'rmsnormSalience',
    code: gridCode + code,
    buffers: { weight: 'read', x: 'read', dY: 'read', rstd: 'read', carry: 'write', sums: 'write' },
    params: { rows: 'u32', hidden: 'u32', weightFirst: 'u32', sumFirst: 'u32', carryIn: 'u32', carryOut: 'u32' },
    constants: { SUMMED: summed ? 1 : 0 },
    workgroups: ({ hidden }) => [Math.ceil(hidden / 64)],
  });

export const rmsnormSalience = record(false);
/** Where parts of the gradient are summed already (`headNormGradient`): x holds them, dY and rstd are not read. */
export const summedSalience = record(true);
