/** @file The embedding's gradient: every token's row gathers the gradients at the positions where it stands. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/embedding/embedding_gradient.wgsl?raw';
import { defineKernel } from '../gpu/kernel';

export const embeddingGradient = defineKernel({
  name: 'embeddingGradient',
  code: gridCode + code,
  buffers: { dY: 'read', tokens: 'read', starts: 'read', positions: 'read', gradient: 'write' },
  params: { uses: 'u32', useFirst: 'u32', hidden: 'u32', vocabFirst: 'u32', scale: 'f32' },
  workgroups: ({ uses }) => [uses],
});
