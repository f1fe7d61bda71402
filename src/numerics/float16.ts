/** @file 16-bit floats as checkpoints store them: float16 (f16) and bfloat16, to and from float32. */

const word = new DataView(new ArrayBuffer(4));

function bitsOf(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

function floatOf(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

/** The number that 16 bits of a float16 mean, subnormals, infinities and NaN included. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest float16 of a number (ties to even); beyond 65504 it becomes infinite. */
export function numberToF16(value: number): number {
  const bits = bitsOf(value);
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2^-14 a step is 2^-24; above, the step grows with the exponent. Rounding up may carry into it: the sum is right.
  const exponent = Math.max(((bits >>> 23) & 0xff) - 127, -14);
  const steps = roundHalfEven(magnitude * 2 ** (10 - exponent));
  return sign | (steps + (exponent + 14) * 1024);
}

/** The number that 16 bits of a bfloat16 mean: the upper half of a float32. */
export function bf16ToNumber(bits: number): number {
  return floatOf((bits << 16) >>> 0);
}

/** The nearest bfloat16 of a number (ties to even). */
export function numberToBf16(value: number): number {
  const bits = bitsOf(value);
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Float32 values of float16 numbers. */
export function f16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, f16ToNumber);
}

/** Float32 values of bfloat16s. */
export function bf16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, bf16ToNumber);
}

/** float16 numbers nearest to the given values. */
export function f32ToF16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, numberToF16);
}

/** bfloat16s nearest to the given values. */
export function f32ToBf16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, numberToBf16);
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
