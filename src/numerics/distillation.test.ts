import { describe, expect, test } from 'vitest';
import { distillationGradient, distillationLoss } from './distillation';
import { createRandom } from './random';

describe.each([
  [0.5, 0.3],
  [2, 0.5],
  [10, 1],
  [1, 0],
])('temperature %s, weight %s', (temperature, weight) => {
  const setting = { temperature, weight };
  const random = createRandom(3);
  const logits = () => Float64Array.from({ length: 7 }, () => 6 * random() - 3);
  const [student, teacher, target] = [logits(), logits(), 4];

  test('the gradient is the slope of the loss', () => {
    const gradient = distillationGradient(student, teacher, target, setting);
    const step = 1e-6;
    for (const v of student.keys()) {
      const at = (by: number) =>
        distillationLoss(
          student.map((logit, u) => logit + (u === v ? by : 0)),
          teacher,
          target,
          setting,
        ).loss;
      expect(gradient[v]!).toBeCloseTo((at(step) - at(-step)) / (2 * step), 7);
    }
  });

  test('a student that agrees with its teacher has the cross entropy alone', () => {
    const { loss, crossEntropy, divergence } = distillationLoss(student, student, target, setting);
    expect(divergence).toBeCloseTo(0, 14);
    expect(loss).toBeCloseTo((1 - weight) * crossEntropy, 12);
  });
});

test('by hand: two tokens at temperature 2', () => {
  const log = Math.log;
  // Halved, the teacher's logits give shares 3/4 and 1/4, the student's 1/2 and 1/2.
  const { loss, crossEntropy, divergence } = distillationLoss(
    Float64Array.of(0, 0),
    Float64Array.of(2 * log(3), 0),
    1,
    { temperature: 2, weight: 0.25 },
  );
  expect(crossEntropy).toBeCloseTo(log(2), 12);
  expect(divergence).toBeCloseTo(0.75 * log(1.5) + 0.25 * log(0.5), 12);
  expect(loss).toBeCloseTo(0.75 * crossEntropy + 0.25 * 4 * divergence, 12);
});
