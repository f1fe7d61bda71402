import { expect, test } from 'vitest';
import { passingBytes } from './moments';
import { planTraining, type TrainingSize } from './plan';

/** Four blocks of 100 elements and 50 outside, all trained. */
const size: TrainingSize = {
  ...{ blocks: [400, 400, 400, 400], trained: [100, 100, 100, 100], trainedOutside: 50 },
  ...{ largestTensor: 40, bufferBytes: null },
};
const passing = passingBytes(40);
const [blocks, gradients, moments] = [1600, 4 * 450, 8 * 450];
const total = (plan: ReturnType<typeof planTraining>): number =>
  plan.blocks + plan.gradients + plan.moments + plan.passing;

test('with room for weights, gradients and moments all stay on the GPU', () => {
  const all = blocks + gradients + moments;
  expect(planTraining(size, all, true)).toMatchObject({ way: 'together', blocks, gradients, moments, passing: 0 });
  expect(planTraining(size, Number.POSITIVE_INFINITY, true).way).toBe('together');
  expect(planTraining(size, all - 1, true).way).toBe('momentsOutside');
});

test('no plan takes more than the room, down to the least', () => {
  const { least } = planTraining(size, 0, true);
  expect(least).toBe(2 * 400 + 4 * 100 + passing);
  for (let room = least; room < 8000; room += 37)
    expect(total(planTraining(size, room, true))).toBeLessThanOrEqual(room);
  expect(planTraining(size, blocks + gradients + passing, true)).toMatchObject({ way: 'momentsOutside', moments: 0 });
  const tight = planTraining(size, blocks + gradients + passing - 1, true);
  expect(tight).toMatchObject({ way: 'blockByBlock', gradients: 400, blocks: 1600 });
  expect(planTraining(size, least, true)).toMatchObject({ way: 'blockByBlock', blocks: 800, moments: 0 });
});

test('a gradient that no buffer holds goes block by block; small factors stay, and the blocks beside them alternate', () => {
  const unlimited = Number.POSITIVE_INFINITY;
  expect(planTraining({ ...size, bufferBytes: 159 }, unlimited, true).way).toBe('blockByBlock');
  expect(planTraining({ ...size, bufferBytes: 160 }, unlimited, true).way).toBe('together');
  const factors = { ...size, trained: [1, 1, 1, 1], trainedOutside: 0 };
  expect(planTraining(factors, 900, false)).toMatchObject({ way: 'together', gradients: 16, moments: 32, blocks: 852 });
  expect(planTraining(factors, 0, false).least).toBe(848);
});
