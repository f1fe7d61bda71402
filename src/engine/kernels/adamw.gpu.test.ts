import { beforeAll, expect, test } from 'vitest';
import { adamwStep } from '../../numerics/adamw';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { adamw, adamwParams, squareSum, squareSumPartials } from './adamw';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const settings = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

/** Elements, and where they begin in the weight, the gradient and the moments. */
test.each([
  [1, 0, 0, 0],
  [7, 5, 3, 2],
  [4099, 64, 0, 5],
])(
  '%i elements from %i, %i and %i: three steps of AdamW, and nothing else changes',
  async (count, weightFirst, gradientFirst, momentFirst) => {
    const before = randomValues(weightFirst + count + 3, 1);
    const values = Float64Array.from(before.subarray(weightFirst, weightFirst + count));
    const moments = { first: new Float64Array(count), second: new Float64Array(count) };
    let state: Record<'weight' | 'first' | 'second', Float32Array> = {
      weight: before,
      first: new Float32Array(momentFirst + count),
      second: new Float32Array(momentFirst + count),
    };
    const scale = 0.5;
    for (let step = 1; step <= 3; step++) {
      const gradient = randomValues(gradientFirst + count, 10 + step);
      adamwStep(
        values,
        gradient.subarray(gradientFirst).map((g) => g * scale),
        moments,
        step,
        settings,
      );
      const params = { count, weightFirst, gradientFirst, momentFirst, ...adamwParams(settings, step, scale) };
      const read = (output: 'weight' | 'first' | 'second') =>
        runKernel(context, adamw, { gradient, ...state }, params, output);
      state = { weight: await read('weight'), first: await read('first'), second: await read('second') };
    }
    expect(state.weight.subarray(weightFirst, weightFirst + count)).toBeAllclose(values, { rtol: 1e-5, atol: 1e-6 });
    expect(state.first.subarray(momentFirst)).toBeAllclose(moments.first, { rtol: 1e-5, atol: 1e-7 });
    expect(state.second.subarray(momentFirst)).toBeAllclose(moments.second, { rtol: 1e-5, atol: 1e-9 });
    const untouched = (all: Float32Array) => [...all.subarray(0, weightFirst), ...all.subarray(weightFirst + count)];
    expect(untouched(state.weight)).toEqual(untouched(before));
  },
);

test.each([1, 63, 64 * 172 + 5])('Σ x² of %i elements', async (count) => {
  const x = randomValues(count, 4);
  const partialCount = squareSumPartials(count);
  const partials = await runKernel(
    context,
    squareSum,
    { x, partials: 2 + partialCount },
    { count, partialCount, first: 2 },
    'partials',
  );
  const sum = partials.subarray(2).reduce((a, b) => a + b, 0);
  expect(sum / x.reduce((a, b) => a + b * b, 0)).toBeCloseTo(1, 6);
});
