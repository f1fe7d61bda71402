/** @file Every backward reference against finite differences of its forward, on odd sizes; all of them add into their outputs. */
import { expect, test } from 'vitest';
import { type AttentionSizes, attention } from './attention';
import { attentionBackward } from './attentionBackward';
import { crossEntropy } from './crossEntropy';
import { crossEntropyBackward } from './crossEntropyBackward';
import { embedding } from './embedding';
import { embeddingBackward } from './embeddingBackward';
import { geglu } from './geglu';
import { gegluBackward } from './gegluBackward';
import { linear } from './linear';
import { linearBackward } from './linearBackward';
import { rmsnorm } from './rmsnorm';
import { rmsnormBackward } from './rmsnormBackward';
import { type RopeShape, rope } from './rope';
import { ropeBackward } from './ropeBackward';
import { swiglu } from './swiglu';
import { swigluBackward } from './swigluBackward';
import { inner, slopes, uniform } from './testing/finiteDifferences';

/** What stands in an output before a backward adds to it. */
const before = 0.5;

/** Runs `backward` on outputs that already hold something, and compares what it added with the slopes of `loss`. */
function check(loss: () => number, inputs: Float64Array[], backward: (gradients: Float64Array[]) => void): void {
  const gradients = inputs.map((input) => new Float64Array(input.length).fill(before));
  backward(gradients);
  inputs.forEach((input, which) => {
    const expected = slopes(loss, input);
    expected.forEach((slope, i) => {
      const added = gradients[which]![i]! - before;
      expect(Math.abs(added - slope), `input ${which}, element ${i}: slope ${slope}, got ${added}`).toBeLessThan(1e-8);
    });
  });
}

test.each([0, 1])('rmsnorm with an offset of %d', (offset) => {
  const [x, weight, dOut] = [uniform(3 * 5, 1), uniform(5, 2), uniform(3 * 5, 3)];
  check(
    () => inner(rmsnorm(x, weight, 0.01, offset), dOut),
    [x, weight],
    ([dX, dWeight]) => rmsnormBackward(dOut, x, weight, 0.01, dX!, dWeight!, offset),
  );
});

test('linear', () => {
  const [x, weight, dOut] = [uniform(3 * 5, 1), uniform(7 * 5, 2), uniform(3 * 7, 3)];
  check(
    () => inner(linear(x, weight, 5), dOut),
    [x, weight],
    ([dX, dWeight]) => linearBackward(dOut, x, weight, 5, dX!, dWeight!),
  );
});

test('linear with a bias', () => {
  const [x, weight, bias, dOut] = [uniform(3 * 5, 1), uniform(7 * 5, 2), uniform(7, 4), uniform(3 * 7, 3)];
  check(
    () => inner(linear(x, weight, 5, bias), dOut),
    [x, weight, bias],
    ([dX, dWeight, dBias]) => linearBackward(dOut, x, weight, 5, dX!, dWeight!, dBias),
  );
});

test.each<[string, RopeShape]>([
  ['plain', { theta: 100 }],
  ['linear', { theta: 100, scaling: { kind: 'linear', factor: 3 } }],
  [
    'with longer queries and keys',
    {
      theta: 100,
      scaling: {
        kind: 'yarn',
        factor: 4,
        originalPositions: 24,
        betaFast: 2,
        betaSlow: 1,
        truncate: true,
        attentionFactor: 1.2,
      },
    },
  ],
])('rope, %s', (_, shape) => {
  const [x, dOut] = [uniform(5 * 3 * 4, 1), uniform(5 * 3 * 4, 2)];
  check(
    () => inner(rope(x.slice(), 3, 4, shape), dOut),
    [x],
    ([dX]) => ropeBackward(dOut, 3, 4, shape, dX!),
  );
});

test.each<AttentionSizes & { seqLen: number }>([
  { seqLen: 1, heads: 1, kvHeads: 1, headDim: 2 },
  { seqLen: 5, heads: 3, kvHeads: 1, headDim: 3 },
  { seqLen: 4, heads: 4, kvHeads: 2, headDim: 6 },
  { seqLen: 6, heads: 4, kvHeads: 2, headDim: 4, window: 3 },
  { seqLen: 4, heads: 1, kvHeads: 1, headDim: 4, window: 1 },
  { seqLen: 3, heads: 2, kvHeads: 1, headDim: 4, window: 9 },
  { seqLen: 4, heads: 2, kvHeads: 1, headDim: 4, attnScale: 1.5 },
  { seqLen: 6, heads: 4, kvHeads: 2, headDim: 4, window: 3, attnScale: 1.5, scoreSoftcap: 0.75 },
])('attention %o', ({ seqLen, ...sizes }) => {
  const { heads, kvHeads, headDim } = sizes;
  const queries = seqLen * heads * headDim;
  const keys = seqLen * kvHeads * headDim;
  const [q, k, v, dOut] = [uniform(queries, 1), uniform(keys, 2), uniform(keys, 3), uniform(queries, 4)];
  check(
    () => inner(attention(q, k, v, sizes), dOut),
    [q, k, v],
    ([dQ, dK, dV]) => attentionBackward(dOut, q, k, v, sizes, dQ!, dK!, dV!),
  );
});

test('swiglu', () => {
  const [gate, up, dOut] = [uniform(9, 1).map((value) => 4 * value), uniform(9, 2), uniform(9, 3)];
  check(
    () => inner(swiglu(gate, up), dOut),
    [gate, up],
    ([dGate, dUp]) => swigluBackward(dOut, gate, up, dGate!, dUp!),
  );
});

test('swiglu stays finite where the exponential does not', () => {
  const [dGate, dUp] = [new Float64Array(2), new Float64Array(2)];
  swigluBackward(Float64Array.of(1, 1), Float64Array.of(-1000, 1000), Float64Array.of(3, 3), dGate, dUp);
  expect(dGate).toEqual(Float64Array.of(0, 3));
  expect(dUp).toEqual(Float64Array.of(0, 1000));
});

test('geglu', () => {
  const [gate, up, dOut] = [uniform(9, 1).map((value) => 4 * value), uniform(9, 2), uniform(9, 3)];
  check(
    () => inner(geglu(gate, up), dOut),
    [gate, up],
    ([dGate, dUp]) => gegluBackward(dOut, gate, up, dGate!, dUp!),
  );
});

test('geglu stays finite where the cube does not', () => {
  const [dGate, dUp] = [new Float64Array(2), new Float64Array(2)];
  gegluBackward(Float64Array.of(1, 1), Float64Array.of(-1e120, 1e120), Float64Array.of(3, 3), dGate, dUp);
  expect(dGate).toEqual(Float64Array.of(0, 3));
  expect(dUp).toEqual(Float64Array.of(0, 1e120));
});

test.each([undefined, 0.5])('cross entropy with logits capped at %s', (cap) => {
  const [x, head, dOut] = [uniform(3 * 5, 1), uniform(7 * 5, 2), uniform(3, 3)];
  const targets = [6, 0, 2];
  check(
    () => inner(crossEntropy(x, head, targets, 5, cap), dOut),
    [x, head],
    ([dX, dHead]) => crossEntropyBackward(dOut, x, head, targets, 5, dX!, dHead!, cap),
  );
});

test('embedding, with a token that comes twice', () => {
  const [weight, dOut] = [uniform(4 * 3, 1), uniform(5 * 3, 2)];
  const tokens = [3, 1, 3, 0, 1];
  check(
    () => inner(embedding(tokens, weight, 3), dOut),
    [weight],
    ([dWeight]) => embeddingBackward(dOut, tokens, 3, dWeight!),
  );
});
