import { expect, test } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../numerics/float16';
import { createRandom, randomGaussian } from '../numerics/random';
import { converted } from './converted';

const bytesOf = (values: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>) => new Uint8Array(values.buffer);
const same = (got: Uint8Array, want: Uint8Array) => Buffer.compare(got, want) === 0;
const random = createRandom(3);
/** Of all sizes that f16 has, ties and signs included. */
const values = Float32Array.from({ length: 4000 }, (_, at) =>
  at % 2 === 0
    ? randomGaussian(random) * 2 ** ((at % 36) - 26)
    : ((at % 64) + 0.5) * 2 ** ((at % 24) - 20) * (at % 3 === 0 ? -1 : 1),
);

test('the nearest value, as the slow conversions say', () => {
  expect(same(converted(bytesOf(values), 'F32', 'F16', 'w'), bytesOf(f32ToF16(values)))).toBe(true);
  const halves = f32ToF16(values);
  expect(same(converted(bytesOf(halves), 'F16', 'F32', 'w'), bytesOf(f16ToF32(halves)))).toBe(true);
  const brain = f32ToBf16(values);
  expect(same(converted(bytesOf(brain), 'BF16', 'F32', 'w'), bytesOf(bf16ToF32(brain)))).toBe(true);
  expect(same(converted(bytesOf(brain), 'BF16', 'F16', 'w'), bytesOf(f32ToF16(bf16ToF32(brain))))).toBe(true);
});

test('equal types are passed on; what is not finite in f16 is refused by name', () => {
  const bytes = bytesOf(values);
  expect(converted(bytes, 'F32', 'F32', 'w')).toBe(bytes);
  for (const value of [65520, -7e4, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => converted(bytesOf(Float32Array.of(1, value)), 'F32', 'F16', 'block 3, up')).toThrow(
      /block 3, up.*65504/,
    );
  }
  expect(() => converted(bytesOf(f32ToBf16([7e4])), 'BF16', 'F16', 'w')).toThrow(/65504/);
  expect(() => converted(bytesOf(Uint16Array.of(0x7c00)), 'F16', 'F16', 'w')).not.toThrow();
});
