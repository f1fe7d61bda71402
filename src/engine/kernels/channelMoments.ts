/** @file Mean and squared deviations of every channel over the tokens of a chunk of rows. */
import finiteCode from '../../../shaders/common/finite.wgsl?raw';
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/channel_moments.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const channelMoments = defineKernel({
  name: 'channelMoments',
  code: gridCode + finiteCode + code,
  buffers: { x: 'read', lengths: 'read', y: 'write' },
  params: {
    ...{ rows: 'u32', channels: 'u32', chunkRows: 'u32', skew: 'u32' },
    ...{ batchFirst: 'u32', seqLen: 'u32', yFirst: 'u32' },
  },
  workgroups: ({ rows, channels, chunkRows, skew }) => [
    Math.ceil((Math.ceil((rows + skew) / chunkRows) * channels) / 64),
  ],
});
