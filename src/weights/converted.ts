/** @file Stored bytes as F32 or F16. Tables of all 16-bit patterns: a model has some 10⁹ weights. */
import { LabError } from '../errors';
import type { StoredDtype } from '../model/weights';
import { bf16ToNumber, f16ToNumber, numberToF16 } from '../numerics/float16';

const patterns = 2 ** 16;
/** The first f16 magnitude that is not finite. */
const infinite = 0x7c00;

let valuesOfF16: Float32Array<ArrayBuffer> | null = null;
let f16OfBf16: Uint16Array<ArrayBuffer> | null = null;

/**
 * Values in another type, to the nearest one; the bytes themselves where the types are equal.
 * @param bytes stored values, aligned at offset 0; not changed
 * @param name of the tensor, for the error
 * @throws LabError 'not-available' where a value is beyond f16
 */
export function converted(
  bytes: Uint8Array<ArrayBuffer>,
  from: StoredDtype,
  to: 'F32' | 'F16',
  name: string,
): Uint8Array<ArrayBuffer> {
  if (from === to) return bytes;
  return new Uint8Array((to === 'F32' ? asF32(halvesOf(bytes), from) : asF16(bytes, from, name)).buffer);
}

const halvesOf = (bytes: Uint8Array<ArrayBuffer>): Uint16Array<ArrayBuffer> =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);

function asF32(bits: Uint16Array<ArrayBuffer>, from: StoredDtype): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  if (from === 'BF16') {
    const words = new Uint32Array(values.buffer);
    for (let at = 0; at < bits.length; at++) words[at] = bits[at]! << 16;
    return values;
  }
  valuesOfF16 ??= Float32Array.from({ length: patterns }, (_, half) => f16ToNumber(half));
  for (let at = 0; at < bits.length; at++) values[at] = valuesOfF16[bits[at]!]!;
  return values;
}

function asF16(bytes: Uint8Array<ArrayBuffer>, from: StoredDtype, name: string): Uint16Array<ArrayBuffer> {
  const halves = from === 'BF16' ? bf16AsF16(halvesOf(bytes)) : f32AsF16(bytes);
  for (let at = 0; at < halves.length; at++) {
    if ((halves[at]! & 0x7fff) < infinite) continue;
    throw new LabError(
      'not-available',
      `${name}: expected values that are finite in f16, got one beyond 65504.`,
      "Export as 'f32'.",
    );
  }
  return halves;
}

function bf16AsF16(bits: Uint16Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  f16OfBf16 ??= Uint16Array.from({ length: patterns }, (_, half) => numberToF16(bf16ToNumber(half)));
  const table = f16OfBf16;
  return bits.map((half) => table[half]!);
}

function f32AsF16(bytes: Uint8Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, words.length);
  const halves = new Uint16Array(words.length);
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const magnitude = word & 0x7fffffff;
    // From the smallest normal f16, 2⁻¹⁴, to infinity: the exponent moves and 13 bits go, ties to even; the carry is right.
    if (magnitude >= 0x38800000 && magnitude <= 0x477fffff) {
      const steps = magnitude - 0x38000000;
      halves[at] = ((word >>> 16) & 0x8000) | ((steps + 0xfff + ((steps >>> 13) & 1)) >>> 13);
    } else halves[at] = numberToF16(values[at]!);
  }
  return halves;
}
