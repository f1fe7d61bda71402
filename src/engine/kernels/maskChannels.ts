/** @file Sets the channels that a mask does not keep to zero, in place. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/mask_channels.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const maskChannels = defineKernel({
  name: 'maskChannels',
  code: gridCode + code,
  buffers: { keep: 'read', x: 'write' },
  params: { rows: 'u32', channels: 'u32' },
  workgroups: ({ rows, channels }) => [Math.ceil((rows * channels) / 64)],
});
