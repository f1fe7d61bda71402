/** @file 16-bit floats: known bit patterns, every float16 to float32 and back, ties to even. */
import { expect, test } from 'vitest';
import {
  bf16ToF32,
  bf16ToNumber,
  f16ToF32,
  f16ToNumber,
  f32ToBf16,
  f32ToF16,
  numberToBf16,
  numberToF16,
} from './float16';

test.each([
  [0x0000, 0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x0400, 2 ** -14],
  [0x03ff, 1023 * 2 ** -24],
  [0x0001, 2 ** -24],
  [0x7c00, Infinity],
  [0xfc00, -Infinity],
])('half 0x%s is %d, both ways', (bits, value) => {
  expect(f16ToNumber(bits)).toBe(value);
  expect(numberToF16(value)).toBe(bits);
});

test('every half that is a number survives the way there and back', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = f16ToNumber(bits);
    if (!Number.isNaN(value)) expect(Object.is(numberToF16(value), bits)).toBe(true);
  }
});

test('rounding to half: nearest, ties to even, overflow, underflow, NaN', () => {
  expect(f16ToNumber(numberToF16(1 + 1 / 2048))).toBe(1);
  expect(f16ToNumber(numberToF16(1 + 3 / 2048))).toBe(1 + 2 / 1024);
  expect(f16ToNumber(numberToF16(2047.9 / 1024))).toBe(2);
  expect(numberToF16(65519)).toBe(0x7bff);
  expect(numberToF16(65520)).toBe(0x7c00);
  expect(numberToF16(2 ** -25)).toBe(0);
  expect(numberToF16(-1e-10)).toBe(0x8000);
  expect(f16ToNumber(numberToF16(Number.NaN))).toBeNaN();
});

test('bfloat16 is the upper half of float32, rounded to even', () => {
  expect(bf16ToNumber(0x3f80)).toBe(1);
  expect(bf16ToNumber(0xc049)).toBe(-3.140625);
  expect(numberToBf16(Math.PI)).toBe(0x4049);
  expect(numberToBf16(1 + 2 ** -8)).toBe(0x3f80);
  expect(numberToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
  expect(bf16ToNumber(numberToBf16(Number.NaN))).toBeNaN();
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = bf16ToNumber(bits);
    if (!Number.isNaN(value)) expect(numberToBf16(value)).toBe(bits);
  }
});

test('whole arrays', () => {
  expect([...f16ToF32(f32ToF16([1, -0.5, 3]))]).toEqual([1, -0.5, 3]);
  expect([...bf16ToF32(f32ToBf16([1, -0.5, 3]))]).toEqual([1, -0.5, 3]);
});
