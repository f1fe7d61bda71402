/** @file y = x · weightᵀ of a single row, or y += x · weightᵀ: what decoding a token takes. */
import code from '../../../shaders/linear/row.wgsl?raw';
import aloneCode from '../../../shaders/linear/row_alone.wgsl?raw';
import lanesCode from '../../../shaders/linear/row_lanes.wgsl?raw';
import type { StoredDtype } from '../../model/weights';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';
import { weightCode } from './tile';

/** 'lanes': sixteen invocations share a sum, with a barrier. 'alone': each has its own. */
export type RowKind = 'lanes' | 'alone';

const kinds = { lanes: { code: lanesCode, lanes: 16 }, alone: { code: aloneCode, lanes: 1 } } as const;

const record = (dtype: StoredDtype, kind: RowKind, aligned: boolean) =>
  defineKernel({
    name: `linear row ${dtype} ${kind}${aligned ? '' : ' any'}`,
    code: weightCode[dtype] + kinds[kind].code + code,
    buffers: { weight: 'read', x: 'read', y: 'write' },
    params: { inner: 'u32', cols: 'u32', xFirst: 'u32', yFirst: 'u32', accumulate: 'u32' },
    constants: { ALIGNED: aligned ? 1 : 0 },
    workgroups: ({ cols }) => [Math.ceil((cols * kinds[kind].lanes) / (4 * 64))],
    flops: ({ inner, cols }) => 2 * inner * cols,
  });

const aligned = memo((dtype: StoredDtype, kind: RowKind) => record(dtype, kind, true));
const any = memo((dtype: StoredDtype, kind: RowKind) => record(dtype, kind, false));

/** The record of a weight type and an inner size. */
export function linearRow(dtype: StoredDtype, inner: number, software: boolean): ReturnType<typeof record> {
  return (inner % 4 === 0 ? aligned : any)(dtype, software ? 'alone' : 'lanes');
}
