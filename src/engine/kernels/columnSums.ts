/** @file Σ|weight| and Σ weight² of every column over a chunk of rows. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import code from '../../../shaders/statistics/column_sums.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { weightCode } from './tile';

const record = (dtype: StoredDtype) =>
  defineKernel({
    name: `columnSums ${dtype}`,
    code: gridCode + weightCode[dtype] + code,
    buffers: { weight: 'read', y: 'write' },
    params: { rows: 'u32', inner: 'u32', chunkRows: 'u32', yFirst: 'u32' },
    workgroups: ({ rows, inner, chunkRows }) => [Math.ceil((Math.ceil(rows / chunkRows) * inner) / 64)],
  });

export const columnSums = { F32: record('F32'), F16: record('F16'), BF16: record('BF16') };
