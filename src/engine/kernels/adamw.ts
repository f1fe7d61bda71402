/** @file The kernels of an optimizer's step: AdamW on one tensor, and Σ x² as partial sums for the global norm of gradients. */
import gridCode from '../../../shaders/common/grid.wgsl?raw';
import adamwCode from '../../../shaders/training/adamw.wgsl?raw';
import squareCode from '../../../shaders/training/square_sum.wgsl?raw';
import type { AdamW } from '../../numerics/adamw';
import { defineKernel } from '../gpu/kernel';

export const adamw = defineKernel({
  name: 'adamw',
  code: gridCode + adamwCode,
  buffers: { gradient: 'read', weight: 'write', first: 'write', second: 'write' },
  params: {
    ...{ count: 'u32', weightFirst: 'u32', gradientFirst: 'u32', momentFirst: 'u32' },
    ...{ scale: 'f32', decay: 'f32', rest1: 'f32', rest2: 'f32', stepSize: 'f32', correction: 'f32', epsilon: 'f32' },
  },
  workgroups: ({ count }) => [Math.ceil(count / 64)],
});

/** The parameters of a step that are the same for every tensor. `step` counts from 1, `scale` multiplies the gradients. */
export function adamwParams(
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamW,
  step: number,
  scale: number,
): Record<'scale' | 'decay' | 'rest1' | 'rest2' | 'stepSize' | 'correction' | 'epsilon', number> {
  return {
    ...{ scale, decay: 1 - learningRate * weightDecay, rest1: 1 - beta1, rest2: 1 - beta2 },
    stepSize: learningRate / (1 - beta1 ** step),
    correction: 1 / Math.sqrt(1 - beta2 ** step),
    epsilon,
  };
}

export const squareSum = defineKernel({
  name: 'squareSum',
  code: gridCode + squareCode,
  buffers: { x: 'read', partials: 'write' },
  params: { count: 'u32', partialCount: 'u32', first: 'u32' },
  workgroups: ({ partialCount }) => [Math.ceil(partialCount / 64)],
});

/** Partial sums for so many elements: short enough to round little, few enough to be read back in every step. */
export function squareSumPartials(count: number): number {
  return Math.min(Math.ceil(count / 64), 4096);
}
