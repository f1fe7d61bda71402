/** @file The references on numbers that one can check by hand. */
import { describe, expect, test } from 'vitest';
import { attention } from './attention';
import { cosine, cosineRows } from './cosine';
import { crossEntropy, logSumExp } from './crossEntropy';
import { klDivergence } from './divergence';
import { embedding } from './embedding';
import { geglu, geluTanh } from './geglu';
import { linear } from './linear';
import { rmsnorm } from './rmsnorm';
import { rope } from './rope';
import { softcap, softcapSlope } from './softcap';
import { silu, swiglu } from './swiglu';

const f64 = (...values: number[]): Float64Array => Float64Array.from(values);

test('embedding copies the row of each token and refuses a token outside the table', () => {
  const table = f64(1, 2, 3, 4, 5, 6);
  expect([...embedding([2, 0, 2], table, 2)]).toEqual([5, 6, 1, 2, 5, 6]);
  expect(() => embedding([3], table, 2)).toThrow('expected a token id in [0, 3), got 3 at row 0');
});

test('rmsnorm divides by the root mean square, row by row', () => {
  // mean of squares of (3, 4) is 12.5, of (6, 8) it is 50
  const out = rmsnorm(f64(3, 4, 6, 8), f64(1, 2), 0);
  expect(out[0]).toBeCloseTo(3 / Math.sqrt(12.5), 14);
  expect(out[1]).toBeCloseTo(8 / Math.sqrt(12.5), 14);
  expect(out[2]).toBeCloseTo(6 / Math.sqrt(50), 14);
  expect(rmsnorm(f64(0, 0), f64(1, 1), 0.25)).toEqual(f64(0, 0));
  expect(rmsnorm(f64(1, 1), f64(1, 1), 3)[0]).toBe(0.5);
});

test('rmsnorm with an offset of 1 keeps what a weight of 0 multiplies', () => {
  expect([...rmsnorm(f64(2, 2, -1, 1), f64(0, 0.5), 0, 1)]).toEqual([1, 1.5, -1, 1.5]);
});

test('linear multiplies with the transposed weight and adds the bias', () => {
  expect([...linear(f64(1, 2, 3, 4), f64(1, 0, 0, 1, 10, 100), 2)]).toEqual([1, 2, 210, 3, 4, 430]);
  expect([...linear(f64(1, 2, 3, 4), f64(1, 0, 0, 1), 2, f64(10, 20))]).toEqual([11, 22, 13, 24]);
});

describe('rope', () => {
  test('leaves position 0 alone and turns channel i with channel i + headDim/2', () => {
    const x = f64(1, 2, 3, 4, 1, 0, 0, 0);
    rope(x, 1, 4, { theta: 10000 });
    expect([...x.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(x[4]).toBeCloseTo(Math.cos(1), 15);
    expect(x[5]).toBe(0);
    expect(x[6]).toBeCloseTo(Math.sin(1), 15);
  });
});

describe('attention', () => {
  const sizes = { heads: 1, kvHeads: 1, headDim: 2 };

  test('is causal: the first row sees only itself', () => {
    const out = attention(f64(5, 5, 0, 0), f64(1, 2, 3, 4), f64(1, 2, 3, 4), sizes);
    expect([...out.subarray(0, 2)]).toEqual([1, 2]);
    expect([...out.subarray(2)]).toEqual([2, 3]); // a zero query weighs both rows alike
  });

  test('weighs by the exponential of the scaled dot product', () => {
    const scale = Math.sqrt(2) * Math.log(3); // scores 0 and log 3: weights 1/4 and 3/4
    const out = attention(f64(0, 0, scale, 0), f64(0, 0, 1, 0), f64(0, 8, 4, 0), sizes);
    expect(out[2]).toBeCloseTo(3, 12);
    expect(out[3]).toBeCloseTo(2, 12);
  });

  test('a scale of its own stands for 1/√headDim', () => {
    const out = attention(f64(0, 0, Math.log(3), 0), f64(0, 0, 1, 0), f64(0, 8, 4, 0), { ...sizes, attnScale: 1 });
    expect(out[2]).toBeCloseTo(3, 12);
  });

  test('a soft cap bends the scaled scores: none is beyond it', () => {
    const query = f64(0, 0, 2000, 0); // scores 0 and 1000, bent to 0 and log 3
    const capped = { ...sizes, attnScale: 1 / 2, scoreSoftcap: Math.log(3) };
    const out = attention(query, f64(0, 0, 1, 0), f64(0, 8, 4, 0), capped);
    expect(out[2]).toBeCloseTo(3, 12);
    expect(out[3]).toBeCloseTo(2, 12);
  });

  test('a window of w rows ends at the query: row i sees keys i − w + 1 … i', () => {
    const rows = { heads: 1, kvHeads: 1, headDim: 1 };
    const [queries, values] = [f64(0, 0, 0, 0), f64(1, 2, 4, 8)]; // zero queries weigh alike
    expect([...attention(queries, values, values, { ...rows, window: 1 })]).toEqual([1, 2, 4, 8]);
    expect([...attention(queries, values, values, { ...rows, window: 2 })]).toEqual([1, 1.5, 3, 6]);
    const all = attention(queries, values, values, rows);
    expect(attention(queries, values, values, { ...rows, window: 4 })).toEqual(all);
    expect(attention(queries, values, values, { ...rows, window: 3 })).not.toEqual(all);
  });

  test('query heads share key/value heads in order, and large scores do not overflow', () => {
    const out = attention(f64(1000, 1000, 1000, 1000), f64(1000, 1000), f64(7, 9), {
      heads: 4,
      kvHeads: 2,
      headDim: 1,
    });
    expect([...out]).toEqual([7, 7, 9, 9]);
  });
});

test('swiglu is silu of the gate times up', () => {
  expect(silu(0)).toBe(0);
  expect(silu(Math.log(3))).toBeCloseTo(Math.log(3) * 0.75, 15);
  expect(swiglu(f64(Math.log(3), -1000), f64(2, 5))[0]).toBeCloseTo(Math.log(3) * 1.5, 15);
  expect(swiglu(f64(-1000), f64(5))[0]).toBeCloseTo(0, 15);
});

test('geglu is gelu of the gate times up', () => {
  expect(geluTanh(0)).toBe(0);
  expect(geluTanh(1)).toBeCloseTo(0.841192, 6); // exactly 0.841345 by the normal distribution
  expect(geluTanh(-1)).toBeCloseTo(0.841192 - 1, 6);
  expect(geglu(f64(1, -1000), f64(2, 5))[0]).toBeCloseTo(2 * 0.841192, 5);
  expect(geglu(f64(-1000, 1000), f64(5, 5))).toEqual(f64(-0, 5000));
});

test('a soft cap leaves small values and bounds large ones', () => {
  expect(softcap(1234, undefined)).toBe(1234);
  expect(softcap(30 * Math.atanh(0.5), 30)).toBeCloseTo(15, 12);
  expect(softcap(-1e6, 30)).toBe(-30);
  expect([softcapSlope(7, undefined), softcapSlope(15, 30), softcapSlope(-30, 30)]).toEqual([1, 0.75, 0]);
});

describe('cross entropy', () => {
  test('of equal logits is log vocab', () => {
    expect(crossEntropy(f64(0, 0), f64(1, 2, 3, 4, 5, 6, 7, 8), [3], 2)[0]).toBeCloseTo(Math.log(4), 15);
  });

  test('is logSumExp minus the target, also where exp would overflow', () => {
    const head = f64(1000, 1000 + Math.log(3));
    expect(logSumExp(head)).toBeCloseTo(1000 + Math.log(4), 12);
    expect(crossEntropy(f64(1, 1), head, [0, 1], 1)[0]).toBeCloseTo(Math.log(4), 12);
    expect(crossEntropy(f64(1, 1), head, [0, 1], 1)[1]).toBeCloseTo(Math.log(4 / 3), 12);
  });

  test('and the divergence cap logits', () => {
    const head = f64(1000, 0); // bent to log 3 and 0
    expect(crossEntropy(f64(1), head, [0], 1, Math.log(3))[0]).toBeCloseTo(Math.log(4 / 3), 12);
    const expected = 0.75 * Math.log(0.75 / 0.25) + 0.25 * Math.log(0.25 / 0.75);
    expect(klDivergence(f64(1), f64(-1), head, 1, Math.log(3))[0]).toBeCloseTo(expected, 12);
  });

  test('refuses a target outside the vocabulary', () => {
    expect(() => crossEntropy(f64(1), f64(1, 1), [2], 1)).toThrow('expected a target in [0, 2), got 2 at row 0');
  });
});

test('cosine of parallel, orthogonal, opposite and zero vectors', () => {
  expect(cosine(f64(1, 2), f64(2, 4))).toBeCloseTo(1, 15);
  expect(cosine(f64(1, 0), f64(0, 3))).toBe(0);
  expect(cosine(f64(1, 1), f64(-1, -1))).toBeCloseTo(-1, 15);
  expect(cosine(f64(0, 0), f64(1, 1))).toBe(0);
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    expect(cosine(f64(1, bad), f64(1, 1))).toBeNaN();
    expect(cosine(f64(0, 0), f64(1, bad))).toBeNaN();
  }
  expect(cosineRows(f64(1, 0, 0, 1), f64(1, 0, 1, 0), 2)).toEqual(f64(1, 0));
});
