/** @file The loss of distillation from both models' logits, chunk by chunk of the vocabulary: its sums by row, and its gradient. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import softcapCode from '../../../shaders/common/softcap.wgsl?raw';
import gradientCode from '../../../shaders/loss/distillation_gradient.wgsl?raw';
import sumsCode from '../../../shaders/loss/distillation_sums.wgsl?raw';
import { defineKernel } from '../gpu/kernel';
import { memo } from './memo';

/** float32 of a row's sums. */
export const distillationSumsWidth = 8;

const named = (name: string, softcap: number): string => `${name}${softcap === 0 ? '' : ` within ${softcap}`}`;

/** `softcap` bounds the student's logits, 0 does not. */
export const distillationSums = memo((softcap: number = 0) =>
  defineKernel({
    name: named('distillationSums', softcap),
    code: softcapCode + sumsCode,
    buffers: { student: 'read', teacher: 'read', targets: 'read', sums: 'write' },
    params: {
      rows: 'u32',
      first: 'u32',
      cols: 'u32',
      stride: 'u32',
      vocabFirst: 'u32',
      carry: 'u32',
      temperature: 'f32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows }) => [rows],
  }),
);

/** `softcap` bounds the student's logits, 0 does not. */
export const distillationGradient = memo((softcap: number = 0) =>
  defineKernel({
    name: named('distillationGradient', softcap),
    code: gridCode + softcapCode + gradientCode,
    buffers: { teacher: 'read', targets: 'read', sums: 'read', weights: 'read', dLogits: 'write' },
    params: {
      rows: 'u32',
      first: 'u32',
      cols: 'u32',
      stride: 'u32',
      vocabFirst: 'u32',
      temperature: 'f32',
      share: 'f32',
    },
    constants: { SOFTCAP: softcap },
    workgroups: ({ rows, stride }) => [Math.ceil((rows * stride) / 4 / 64)],
  }),
);
