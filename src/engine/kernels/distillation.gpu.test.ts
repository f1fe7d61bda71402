import { beforeAll, describe, expect, test } from 'vitest';
import { distillationLoss, distillationGradient as gradientOf } from '../../numerics/distillation';
import { linear } from '../../numerics/linear';
import { softcap, softcapSlope } from '../../numerics/softcap';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { lossFrom } from '../pass/distillationLoss';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { distillationGradient, distillationSums, distillationSumsWidth } from './distillation';
import { headLogits } from './headLogits';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

interface Case {
  readonly rows: number;
  readonly vocab: number;
  /** Columns of a chunk. */
  readonly most: number;
  readonly temperature: number;
  readonly weight: number;
  /** Largest size of a logit. */
  readonly size: number;
  readonly cap?: number;
}

describe.each<Case>([
  { rows: 5, vocab: 130, most: 48, temperature: 2, weight: 0.5, size: 4 },
  { rows: 1, vocab: 3, most: 8, temperature: 10, weight: 1, size: 3 },
  { rows: 2, vocab: 1, most: 8, temperature: 1, weight: 0.3, size: 2 },
  { rows: 3, vocab: 67, most: 16, temperature: 0.5, weight: 0.25, size: 900 },
  { rows: 3, vocab: 530, most: 600, temperature: 0.5, weight: 0, size: 5 },
  { rows: 3, vocab: 67, most: 24, temperature: 3, weight: 0.5, size: 6, cap: 4 },
])('$rows rows, $vocab tokens in chunks of $most, temperature $temperature', (given) => {
  const { rows, vocab, most, temperature, weight, size, cap } = given;
  const setting = { temperature, weight };
  const [raw, teacher] = [1, 2].map((seed) => randomValues(rows * vocab, seed).map((value) => value * size)) as [
    Float32Array,
    Float32Array,
  ];
  const weights = randomValues(rows, 3).map((value, row) => (row === 1 ? 0 : value));
  const targets = Array.from({ length: rows }, (_, row) => (row * 29 + vocab - 1) % vocab);
  const rowOf = (values: Float32Array | Float64Array, row: number) => values.slice(row * vocab, (row + 1) * vocab);
  const capped = Float64Array.from(raw, (logit) => softcap(logit, cap));

  test('losses and gradients, chunk by chunk', async () => {
    let sums = new Float32Array(rows * distillationSumsWidth).fill(Number.NaN);
    const chunks = Array.from({ length: Math.ceil(vocab / most) }, (_, index) => {
      const first = index * most;
      const cols = Math.min(most, vocab - first);
      const stride = Math.ceil(cols / 4) * 4;
      // What lies behind the last column is not read.
      const chunkOf = (values: Float32Array) =>
        Float32Array.from({ length: rows * stride }, (_, i) =>
          i % stride < cols ? values[Math.floor(i / stride) * vocab + first + (i % stride)]! : Number.NaN,
        );
      return { first, cols, stride, student: chunkOf(raw), teacher: chunkOf(teacher) };
    });
    const all = { targets: Uint32Array.from(targets) };
    for (const { first: vocabFirst, cols, stride, student, teacher: taught } of chunks) {
      const inputs = { ...all, student, teacher: taught, sums };
      const place = { first: 0, rows, cols, stride, vocabFirst, carry: vocabFirst > 0 ? 1 : 0, temperature };
      sums = Float32Array.from(await runKernel(context, distillationSums(cap), inputs, place, 'sums'));
    }
    for (let row = 0; row < rows; row++) {
      const found = lossFrom(sums.subarray(row * distillationSumsWidth), setting);
      const expected = distillationLoss(rowOf(capped, row), rowOf(teacher, row), targets[row]!, setting);
      const near = { rtol: 2e-5, atol: 2e-6 * Math.max(1, size / temperature) };
      expect([found.crossEntropy, found.divergence]).toBeAllclose([expected.crossEntropy, expected.divergence], near);
    }
    const slopes = targets.map((target, row) => gradientOf(rowOf(capped, row), rowOf(teacher, row), target, setting));
    for (const { first: vocabFirst, cols, stride, student, teacher: taught } of chunks) {
      const inputs = { ...all, teacher: taught, sums, weights };
      const place = { cols, stride, vocabFirst, temperature, share: weight };
      // In two launches, as long ones are cut.
      const half = Math.floor(rows / 2);
      let dLogits = student;
      for (const [first, count] of [
        [0, half],
        [half, rows - half],
      ] as const) {
        if (count === 0) continue;
        const params = { ...place, first, rows: count };
        dLogits = Float32Array.from(
          await runKernel(context, distillationGradient(cap), { ...inputs, dLogits }, params, 'dLogits'),
        );
      }
      const expected = Float64Array.from({ length: rows * stride }, (_, i) => {
        const [row, col] = [Math.floor(i / stride), i % stride];
        if (col >= cols) return 0;
        const token = vocabFirst + col;
        return weights[row]! * slopes[row]![token]! * softcapSlope(capped[row * vocab + token]!, cap);
      });
      // The exponential of a large argument is as exact as the argument.
      expect(dLogits).toBeAllclose(expected, { rtol: 1e-4, atol: 1e-6 * Math.max(1, size / 10) });
    }
  });
});

test('a student with the logits of its teacher has no divergence and no gradient from it', async () => {
  const logits = randomValues(2 * 12, 1).map((value) => value * 8);
  const inputs = { student: logits, teacher: logits, targets: Uint32Array.of(3, 0), sums: 16 };
  const place = { rows: 2, first: 0, cols: 11, stride: 12, vocabFirst: 0, temperature: 3 };
  const sums = await runKernel(context, distillationSums(), inputs, { ...place, carry: 0 }, 'sums');
  expect(lossFrom(sums, { temperature: 3, weight: 1 }).loss).toBe(0);
  const bound = { ...inputs, sums, weights: Float32Array.of(1, 1), dLogits: logits };
  const gradient = await runKernel(context, distillationGradient(), bound, { ...place, share: 1 }, 'dLogits');
  expect([...gradient]).toEqual(new Array(24).fill(0));
});

test('logits of a chunk, from rows within a part, behind other columns', async () => {
  const [rows, inner, vocab, stride] = [5, 12, 30, 16];
  const head = stored(randomValues(vocab * inner, 1), 'F32');
  const x = randomValues((rows + 1) * inner, 2);
  const inputs = { weight: head.bytes, x, y: new Float32Array((rows + 1) * stride).fill(7) };
  const place = { rows, first: 1, inner, cols: 9, stride, weightFirst: 11, colFirst: 3 };
  const y = await runKernel(context, headLogits('F32', '4x8'), inputs, place, 'y');
  const all = linear(x, head.values, inner);
  const expected = Float64Array.from({ length: (rows + 1) * stride }, (_, i) => {
    const [row, col] = [Math.floor(i / stride), (i % stride) - 3];
    return row > 0 && col >= 0 && col < 9 ? all[row * vocab + 11 + col]! : 7;
  });
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
});
