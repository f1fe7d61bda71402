/** @file AdamW by hand. */
import { expect, test } from 'vitest';
import { adamwStep, clipFactor } from './adamw';

const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

test('the first step goes by the learning rate against the gradient’s sign, whatever its size', () => {
  const weight = Float64Array.of(1, 1, 1);
  const moments = { first: new Float64Array(3), second: new Float64Array(3) };
  adamwStep(weight, Float64Array.of(5, -0.01, 0), moments, 1, settings);
  expect(weight[0]).toBeCloseTo(0.9, 8);
  expect(weight[1]).toBeCloseTo(1.1, 6);
  expect(weight[2]).toBe(1);
  expect(moments.first[0]).toBeCloseTo(0.5, 12);
  expect(moments.second[0]).toBeCloseTo(0.025, 12);
});

test('weight decay is decoupled: it shrinks the weight, not the gradient', () => {
  const weight = Float64Array.of(2);
  const moments = { first: new Float64Array(1), second: new Float64Array(1) };
  adamwStep(weight, Float64Array.of(0), moments, 1, { ...settings, weightDecay: 0.5 });
  expect(weight[0]).toBeCloseTo(2 * (1 - 0.1 * 0.5), 12);
  expect(moments.first[0]).toBe(0);
});

test('gradients are scaled down to a norm, never up', () => {
  expect(clipFactor(4, 1)).toBeCloseTo(0.25, 6);
  expect(clipFactor(0.5, 1)).toBe(1);
});
