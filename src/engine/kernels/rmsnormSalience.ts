/** @file |weight ⊙ g| and g² for the gradient g of a norm's weight. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/norm/rmsnorm_salience.wgsl?raw';
import { defineKernel } from '../kernel';

export const rmsnormSalience = defineKernel({
  name: 'rmsnormSalience',
  code: gridCode + code,
  buffers: { weight: 'read', x: 'read', dY: 'read', rstd: 'read', carry: 'write', sums: 'write' },
  params: { rows: 'u32', hidden: 'u32', sumFirst: 'u32', carryIn: 'u32', carryOut: 'u32' },
  workgroups: ({ hidden }) => [Math.ceil(hidden / 64)],
});
