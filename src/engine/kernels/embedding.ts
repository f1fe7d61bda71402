/** @file Rows of the embedding table, or of one part of it, for each token. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/embedding/embedding.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { weightCode } from './tile';

const record = (dtype: StoredDtype) =>
  defineKernel({
    name: `embedding ${dtype}`,
    code: gridCode + weightCode[dtype] + code,
    buffers: { weight: 'read', tokens: 'read', y: 'write' },
    params: {
      rows: 'u32',
      hidden: 'u32',
      tokenFirst: 'u32',
      yFirst: 'u32',
      vocabFirst: 'u32',
      vocabRows: 'u32',
      scale: 'f32',
    },
    workgroups: ({ rows, hidden }) => [Math.ceil((rows * hidden) / 64)],
  });

export const embedding = { F32: record('F32'), F16: record('F16'), BF16: record('BF16') };
