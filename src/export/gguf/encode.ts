/** @file Stored weights as the types of a GGUF file: F32, F16, and Q8_0 (blocks of 32 signed bytes with one f16 scale). */
import { LabError } from '../../errors';
import type { StoredDtype } from '../../model/weights';
import { numberToF16 } from '../../numerics/float16';
import { converted } from '../../weights/converted';
import { blockBytes, blockWeights, type TensorType } from './container';

/** Changes of stored values: w becomes scale · w + offset. */
export interface Affine {
  readonly scale: number;
  readonly offset: number;
}

/**
 * @param bytes stored values, aligned at offset 0; for Q8_0 whole blocks of 32
 * @param name of the tensor, for the error
 * @throws LabError 'not-available' where a value is not finite in the wanted type
 */
export function encode(
  bytes: Uint8Array<ArrayBuffer>,
  from: StoredDtype,
  to: TensorType,
  affine: Affine | null,
  name: string,
): Uint8Array<ArrayBuffer> {
  if (affine === null && to !== 'Q8_0') {
    const stored = converted(bytes, from, to, name);
    // What is stored as f16 passes as it is.
    if (from === 'F16' && to === 'F16')
      checkHalves(new Uint16Array(stored.buffer, stored.byteOffset, stored.byteLength / 2), name);
    return stored;
  }
  const values = floats(bytes, from, name);
  if (affine !== null) {
    for (let i = 0; i < values.length; i += 1) values[i] = affine.scale * values[i]! + affine.offset;
  }
  return encodeFloats(values, to, name);
}

/** @throws LabError 'not-available' where a value is not finite in the wanted type */
export function encodeFloats(values: Float32Array<ArrayBuffer>, to: TensorType, name: string): Uint8Array<ArrayBuffer> {
  switch (to) {
    case 'F32':
      return bytesOf(values);
    case 'F16':
      return converted(bytesOf(values), 'F32', 'F16', name);
    case 'Q8_0':
      return quantize(values, name);
    default:
      return to satisfies never;
  }
}

const bytesOf = (values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Stored values as numbers of their own. */
function floats(bytes: Uint8Array<ArrayBuffer>, from: StoredDtype, name: string): Float32Array<ArrayBuffer> {
  const wide = converted(bytes, from, 'F32', name);
  const values = new Float32Array(wide.buffer, wide.byteOffset, wide.byteLength / 4);
  return from === 'F32' ? values.slice() : values;
}

/** As ggml's reference: the scale is the largest magnitude over 127, and halves round away from zero. */
function quantize(values: Float32Array<ArrayBuffer>, name: string): Uint8Array<ArrayBuffer> {
  const blocks = values.length / blockWeights;
  const out = new Uint8Array(blocks * blockBytes);
  const signed = new Int8Array(out.buffer);
  for (let block = 0; block < blocks; block += 1) {
    const first = block * blockWeights;
    let largest = 0;
    for (let i = first; i < first + blockWeights; i += 1) {
      const magnitude = Math.abs(values[i]!);
      // NaN must not be lost in a comparison.
      if (!(magnitude <= largest)) largest = magnitude;
    }
    const scale = Math.fround(largest / 127);
    const half = numberToF16(scale);
    if ((half & 0x7fff) >= 0x7c00) throw notFinite(name, 'q8_0', 'beyond 65504 · 127');
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const at = block * blockBytes;
    out[at] = half & 0xff;
    out[at + 1] = half >> 8;
    for (let i = 0; i < blockWeights; i += 1) {
      const value = Math.fround(values[first + i]! * inverse);
      signed[at + 2 + i] = value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
    }
  }
  return out;
}

function checkHalves(bits: Uint16Array, name: string): void {
  for (let i = 0; i < bits.length; i += 1) {
    if ((bits[i]! & 0x7fff) >= 0x7c00) throw notFinite(name, 'f16', 'beyond 65504');
  }
}

function notFinite(name: string, type: string, where: string): LabError {
  return new LabError(
    'not-available',
    `${name} holds values that are not finite in ${type} (${where}).`,
    "Export with dtype: 'f32'.",
  );
}
