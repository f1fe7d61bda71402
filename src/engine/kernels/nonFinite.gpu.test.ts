/** @file NaN and infinities in what kernels read: no kernel makes a number where its float64 reference has none. */
import { beforeAll, describe, expect, test } from 'vitest';
import { attention as attentionReference } from '../../numerics/attention';
import { cosineRows as cosineReference } from '../../numerics/cosine';
import { crossEntropy } from '../../numerics/crossEntropy';
import { klDivergence } from '../../numerics/divergence';
import { geglu as gelu } from '../../numerics/geglu';
import { linear as linearReference } from '../../numerics/linear';
import { channelMoments as momentsReference } from '../../numerics/moments';
import { rmsnorm as rmsnormReference } from '../../numerics/rmsnorm';
import { rmsnormBackward as rmsnormBackwardReference } from '../../numerics/rmsnormBackward';
import { swiglu as silu } from '../../numerics/swiglu';
import type { GpuContext } from '../gpu/device';
import { longTier, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { absoluteSum, partialCount } from './absoluteSum';
import { addNormalized } from './addNormalized';
import { attention, attentionTasks } from './attention';
import { channelMoments } from './channelMoments';
import { combineDivergence } from './combineDivergence';
import { combinePartials } from './combinePartials';
import { cosineRows } from './cosineRows';
import { divergencePartials } from './divergencePartials';
import { headNorm } from './headNorm';
import { headPartials } from './headPartials';
import { linear } from './linear';
import { rmsnorm } from './rmsnorm';
import { rmsnormBackward } from './rmsnormBackward';
import { geglu, swiglu } from './swiglu';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const bads = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/**
 * Where the reference has no finite number, neither has the kernel; elsewhere it has the same one, or none: a tile may let
 * NaN reach what a mask hides, since 0 · NaN is NaN.
 */
function expectNoInvention(y: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(y.length).toBe(expected.length);
  let broken = 0;
  for (let i = 0; i < expected.length; i++) {
    const told = `${what}, [${i}]: got ${y[i]}, the reference says ${expected[i]}`;
    if (!Number.isFinite(expected[i]!)) {
      broken += 1;
      expect(Number.isFinite(y[i]!), told).toBe(false);
    } else if (Number.isFinite(y[i]!)) {
      expect(Math.abs(y[i]! - expected[i]!), told).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(expected[i]!));
    }
  }
  expect(broken, `${what}: nothing was broken, so that nothing was tried`).toBeGreaterThan(0);
}

describe.each(bads)('%f', (bad) => {
  test('cosines', async () => {
    const [rows, hidden] = [4, 6];
    const params = { rows, hidden, aFirst: 0, bFirst: 0, yFirst: 0 };
    const [a, b] = [randomValues(rows * hidden, 1), randomValues(rows * hidden, 2)];
    a.fill(0, 2 * hidden, 3 * hidden);
    for (const at of [7, 2 * hidden]) {
      const broken = b.with(at, bad);
      for (const [p, q] of [
        [a, broken],
        [broken, a],
        [broken, broken],
      ] as const) {
        const y = await runKernel(context, cosineRows, { a: p, b: q, y: rows }, params, 'y');
        const expected = cosineReference(p, q, hidden);
        expectNoInvention(y, expected, 'cosine');
        expect([...y].map(Number.isNaN)).toEqual([...expected].map(Number.isNaN));
        expect([...expected].filter(Number.isNaN)).toHaveLength(1);
      }
    }
  });

  test('norms: a broken row is broken whole, a broken weight breaks its channel', async () => {
    const [rows, hidden, eps] = [3, 8, 1e-5];
    const [weight, x] = [randomValues(hidden, 1), randomValues(rows * hidden, 2)];
    for (const [w, values] of [
      [weight, x.with(11, bad)],
      [weight.with(5, bad), x],
    ] as const) {
      const expected = rmsnormReference(values, w, eps);
      const inputs = { weight: w, x: values, y: rows * hidden };
      const params = { rows, hidden, eps, xFirst: 0 };
      expectNoInvention(await runKernel(context, rmsnorm(0), inputs, params, 'y'), expected, 'rmsnorm');
      const zeros = new Float32Array(rows * hidden);
      const added = await runKernel(
        context,
        addNormalized(0),
        { ...inputs, y: zeros },
        { rows, hidden, eps, yFirst: 0 },
        'y',
      );
      expectNoInvention(added, expected, 'add_normed');
      const heads = { rows, width: hidden, queryHeads: 1, keyHeads: 1, queryDim: 4, keyDim: 4, eps };
      const headed = await runKernel(context, headNorm(0), { weight: w, x: values }, heads, 'x');
      const halves = [...rmsnormOfHalves(values, w, eps)];
      expectNoInvention(headed, halves, 'head_norm');
      const dX = new Float64Array(rows * hidden);
      rmsnormBackwardReference(zeros.fill(1), values, w, eps, dX, new Float64Array(hidden));
      const back = await runKernel(
        context,
        rmsnormBackward(0),
        { weight: w, x: values, dY: zeros, dX: rows * hidden, rstd: rows },
        { rows, hidden, eps, accumulate: 0 },
        'dX',
      );
      expectNoInvention(back, dX, 'rmsnorm_backward');
    }
  });

  test.each(longTier ? (['F32', 'F16', 'BF16'] as const) : (['F16'] as const))(
    'matmuls and gates with %s weights',
    async (dtype) => {
      const [rows, inner, cols] = [5, 8, 10];
      const weight = randomValues(cols * inner, 1);
      const x = randomValues(rows * inner, 2);
      for (const [w, values] of [
        [stored(weight.with(13, bad), dtype), x],
        [stored(weight, dtype), x.with(9, bad)],
      ] as const) {
        for (const tile of ['16x8', '4x8', 'workgroup', 'any'] as const) {
          const inputs = { weight: w.bytes, x: values, y: rows * cols };
          const params = { rows, inner, cols, xFirst: 0, yFirst: 0, accumulate: 0 };
          const y = await runKernel(context, linear(dtype, tile), inputs, params, 'y');
          expectNoInvention(y, linearReference(values, w.values, inner), `linear ${tile}`);
        }
        const ffn = cols / 2;
        const gate = linearReference(values, w.values.subarray(0, ffn * inner), inner);
        const up = linearReference(values, w.values.subarray(ffn * inner), inner);
        for (const [kernel, reference] of [
          [swiglu, silu],
          [geglu, gelu],
        ] as const) {
          const inputs = { weight: w.bytes, x: values, y: rows * ffn };
          const params = { rows, inner, ffn, xFirst: 0, yFirst: 0 };
          const y = await runKernel(context, kernel(dtype, 'any'), inputs, params, 'y');
          expectNoInvention(y, reference(gate, up), 'gate');
        }
      }
      const count = partialCount(cols * 2);
      const partials = await runKernel(
        context,
        absoluteSum[dtype],
        { weight: stored(weight.with(13, bad), dtype).bytes, partials: count },
        { vectors: cols * 2, count, first: 0 },
        'partials',
      );
      expect(Number.isFinite(partials.reduce((a, b) => a + b, 0))).toBe(false);
    },
  );

  test.each([undefined, 2])('attention with a soft cap of %s', async (scoreSoftcap) => {
    const sizes = { heads: 2, kvHeads: 1, headDim: 8 };
    const { heads, kvHeads, headDim } = sizes;
    const seqLen = 7;
    const width = (heads + 2 * kvHeads) * headDim;
    const qkv = randomValues(seqLen * width, 1);
    const scale = 1 / Math.sqrt(headDim);
    const tasks = attentionTasks(1, seqLen, heads, headDim);
    const params = { sequences: 1, seqLen, ...sizes, scale, taskFirst: 0, tasks, window: seqLen };
    // Of the fourth row a query, a key and a value.
    for (const column of [3, heads * headDim + 3, (heads + kvHeads) * headDim + 3]) {
      const broken = qkv.with(3 * width + column, bad);
      const part = (first: number, count: number): Float32Array =>
        Float32Array.from({ length: seqLen * count }, (_, i) => {
          return broken[Math.floor(i / count) * width + first + (i % count)]!;
        });
      const q = part(0, heads * headDim);
      const k = part(heads * headDim, kvHeads * headDim);
      const v = part((heads + kvHeads) * headDim, kvHeads * headDim);
      const expected = attentionReference(q, k, v, { ...sizes, scoreSoftcap });
      const inputs = { qkv: broken, y: expected.length, lse: seqLen * heads };
      const y = await runKernel(context, attention(headDim, false, scoreSoftcap), inputs, params, 'y');
      // An infinite score is within the cap: then nothing is broken, and the kernel says the same.
      if ([...expected].every(Number.isFinite)) expectClose(y, expected);
      else expectNoInvention(y, expected, `attention, column ${column}`);
    }
  });

  test.each([undefined, 2])('losses and divergences with a soft cap of %s', async (cap) => {
    const [rows, inner, vocab] = [3, 8, 70];
    const head = randomValues(vocab * inner, 1);
    const [x, other] = [randomValues(rows * inner, 2), randomValues(rows * inner, 3)];
    const targets = [1, 69, 33];
    const chunks = Math.ceil(vocab / 64);
    const chunked = { chunkCols: 64, chunkFirst: 0, stride: chunks };
    for (const [weight, values] of [
      [head.with(5 * inner, bad), x],
      [head, x.with(inner + 2, bad)],
    ] as const) {
      const bytes = stored(weight, 'F32').bytes;
      const partials = await runKernel(
        context,
        headPartials('F32', '4x8', cap),
        { weight: bytes, x: values, targets: Uint32Array.from(targets), partials: rows * chunks * 4 },
        { rows, inner, cols: vocab, xFirst: 0, targetFirst: 0, vocabFirst: 0, ...chunked },
        'partials',
      );
      const sizes = { rows, chunks, nllFirst: 0 };
      const nll = await runKernel(context, combinePartials, { partials, nll: rows, lse: rows }, sizes, 'nll');
      const expected = crossEntropy(values, weight, targets, inner, cap);
      if ([...expected].every(Number.isFinite)) expectClose(nll, expected);
      else expectNoInvention(nll, expected, 'loss');

      const pairs = await runKernel(
        context,
        divergencePartials('F32', '4x8', cap),
        { weight: bytes, x: Float32Array.of(...values, ...other), partials: rows * chunks * 8 },
        { rows, inner, cols: vocab, pFirst: 0, qFirst: rows, ...chunked },
        'partials',
      );
      const kl = await runKernel(
        context,
        combineDivergence,
        { partials: pairs, kl: rows },
        { rows, chunks, klFirst: 0 },
        'kl',
      );
      const divergences = klDivergence(values, other, weight, inner, cap);
      if ([...divergences].every(Number.isFinite)) expectClose(kl, divergences);
      else expectNoInvention(kl, divergences, 'divergence');
    }
  });

  test('moments of channels', async () => {
    const [rows, channels] = [6, 3];
    const x = randomValues(rows * channels, 1).with(7, bad);
    const pairs = await runKernel(
      context,
      channelMoments,
      { x, lengths: Uint32Array.of(rows), y: 2 * channels },
      { rows, channels, chunkRows: rows, skew: 0, batchFirst: 0, seqLen: rows, yFirst: 0 },
      'y',
    );
    const { mean, deviations } = momentsReference(x, channels);
    expectNoInvention(
      pairs,
      [...mean].flatMap((value, j) => [value, deviations[j]!]),
      'moments',
    );
    expect(Number.isFinite(pairs[3]!)).toBe(false);
  });
});

test('a row whose squares overflow float32 is NaN behind a norm, not nothing', async () => {
  const weight = new Float32Array(4).fill(1);
  const x = Float32Array.of(1e30, 1, 2, 3, 1, 2, 3, 4);
  const y = await runKernel(
    context,
    rmsnorm(0),
    { weight, x, y: 8 },
    { rows: 2, hidden: 4, eps: 1e-5, xFirst: 0 },
    'y',
  );
  expect([...y.subarray(0, 4)].every(Number.isNaN)).toBe(true);
  expect([...y.subarray(4)].every(Number.isFinite)).toBe(true);
});

function expectClose(y: ArrayLike<number>, expected: ArrayLike<number>): void {
  Array.from(expected).forEach((value, i) => {
    expect(Math.abs(y[i]! - value)).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(value));
  });
}

/** The two heads of 4 of each row of 8. */
function rmsnormOfHalves(x: Float32Array, weight: Float32Array, eps: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += 4) {
    const half = first % 8;
    out.set(rmsnormReference(x.subarray(first, first + 4), weight.subarray(half, half + 4), eps), first);
  }
  return out;
}
