/**
 * @file Matrices as f16 for graphs that keep them so. ONNX Runtime Web cannot read BF16, and F32 is no 16 bits; F16 stays
 * where it is. A BF16 matrix becomes F16 times a power of two: f16 has more digits, but fewer exponents.
 */
import { LabError, throwIfAborted } from '../errors';
import type { ModelShape } from '../model/shape';
import { ownerOf, placeOf, type TensorRef, toFloat32, type WeightSource } from '../model/weights';
import { bf16ToNumber, f32ToF16, numberToF16 } from '../numerics/float16';
import { breathe, type TaskOptions } from '../task';
import { OwnerCache } from './ownerCache';
import { tensorsOf } from './tensorsOf';

/** Name of the file that holds the narrowed matrices. */
export const narrowedFile = 'narrowed.bin';

/** Weights of which some may be stored as multiples of a power of two. */
export interface ScaledSource extends WeightSource {
  /** The factor that a tensor's stored values are to be multiplied by. */
  scale?(ref: TensorRef): number;
}

interface Narrowed {
  readonly blob: Blob;
  /** The factor of the stored values. */
  readonly scale: number;
}

/** 'exact': BF16 alone, and only values that lose nothing that a sum in f32 would keep. 'rounded': everything, to the nearest f16. */
export type Narrowing = 'exact' | 'rounded';

const [smallestStep, largestExponent] = [-24, 15]; // of f16
const magnitudeOf = (bits: number): number => bits & 0x7fff;

/** ⌊log2⌋ of a BF16 magnitude that is not 0, and of the last of its digits that is not 0. */
function exponents(magnitude: number): { first: number; last: number } {
  const fraction = magnitude & 0x7f;
  const biased = magnitude >> 7;
  const digits = biased === 0 ? fraction : fraction | 0x80;
  const unit = Math.max(biased, 1) - 127 - 7;
  return { first: unit + 31 - Math.clz32(digits), last: unit + 31 - Math.clz32(digits & -digits) };
}

/**
 * k such that every value of a BF16 matrix times 2^k is an f16; null where none will do. Where the values span too many
 * binades for all to be exact, those far below the largest are rounded, if in each row the error stays below 2⁻²⁵ of the
 * row's largest weight: less than a sum in f32 rounds off for that weight.
 */
export function powerFor(bits: Uint16Array, columns: number): number | null {
  const seen = new Uint8Array(2 ** 15);
  let largest = 0;
  let faintestRow = 0x7fff;
  for (let row = 0; row < bits.length; row += columns) {
    let top = 0;
    for (let at = row; at < row + columns; at++) {
      const magnitude = magnitudeOf(bits[at]!);
      seen[magnitude] = 1;
      if (magnitude > top) top = magnitude;
    }
    if (top > largest) largest = top;
    if (top > 0 && top < faintestRow) faintestRow = top;
  }
  if (largest === 0) return 0;
  if (largest >= 0x7f80) return null; // infinite, or no number
  let step = Number.POSITIVE_INFINITY;
  for (let magnitude = 1; magnitude <= largest; magnitude++) {
    if (seen[magnitude] === 1) step = Math.min(step, exponents(magnitude).last);
  }
  const most = largestExponent - exponents(largest).first;
  const least = smallestStep - step;
  // A scale must be a normal f32, as all that is multiplied by it.
  if (least <= most) return inRange(least > 0 ? least : Math.min(most, 0));
  return exponents(faintestRow).first + most >= 0 ? inRange(most) : null;
}

const inRange = (power: number): number | null => (Math.abs(power) <= 100 ? power : null);

/** The f16 of each of the 2¹⁶ BF16 values times 2^power. */
function conversion(power: number): Uint16Array {
  return Uint16Array.from({ length: 2 ** 16 }, (_, bits) => numberToF16(bf16ToNumber(bits) * 2 ** power));
}

const tables = new Map<number, Uint16Array>();

function narrowBf16(bytes: Uint8Array<ArrayBuffer>, columns: number): Narrowed | null {
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const power = powerFor(bits, columns);
  if (power === null) return null;
  const table = tables.get(power) ?? conversion(power);
  tables.set(power, table);
  return { blob: new Blob([bits.map((value) => table[value]!)]), scale: 2 ** -power };
}

/** To the nearest f16, whatever is lost below its range; beyond it a weight has no f16. */
function round(bytes: Uint8Array<ArrayBuffer>, ref: TensorRef): Narrowed {
  const float16 = f32ToF16(toFloat32(bytes, ref.dtype));
  if (!float16.some((half) => magnitudeOf(half) >= 0x7c00)) return { blob: new Blob([float16]), scale: 1 };
  throw new LabError(
    'self-check',
    `${ref.name} holds values that are not finite in f16 (beyond 65504).`,
    "Leave out precision: 'f16'.",
  );
}

/** Narrowed matrices, null for one that cannot be narrowed: the variants of a model share them. */
const made: Readonly<Record<Narrowing, OwnerCache<Narrowed | null>>> = {
  exact: new OwnerCache(),
  rounded: new OwnerCache(),
};

/** Matrices of a shape that are not F16, each stored range once. */
function candidates(shape: ModelShape, weights: WeightSource, narrowing: Narrowing): TensorRef[] {
  return tensorsOf(shape, weights).filter(
    ({ dims, dtype }) => dims.length === 2 && (dtype === 'BF16' || (dtype === 'F32' && narrowing === 'rounded')),
  );
}

/**
 * The weights with the matrices of `shape` as F16 in `narrowedFile`; those that cannot be so, and vectors, as they are.
 * Reads each matrix once; variants of one source share the result. Rejects with 'self-check' where a rounded weight would
 * not be finite.
 */
export async function narrowed(
  shape: ModelShape,
  weights: WeightSource,
  narrowing: Narrowing,
  { signal, onProgress }: TaskOptions = {},
): Promise<ScaledSource> {
  const refs = candidates(shape, weights, narrowing);
  const places = new Map<string, TensorRef>();
  const scales = new Map<string, number>();
  const parts: Blob[] = [];
  const total = refs.reduce((sum, ref) => sum + ref.end - ref.begin, 0);
  let done = 0;
  let end = 0;
  for (const ref of refs) {
    let matrix = made[narrowing].get(weights, ref);
    if (matrix === undefined) {
      await breathe();
      throwIfAborted(signal, 'Preparing 16-bit weights');
      const bytes = await weights.read(ref, signal);
      matrix = narrowing === 'exact' ? narrowBf16(bytes, ref.dims[1]!) : round(bytes, ref);
      made[narrowing].set(weights, ref, matrix);
      onProgress?.({ stage: 'Preparing 16-bit weights', done: done + ref.end - ref.begin, total, unit: 'bytes' });
    }
    done += ref.end - ref.begin;
    if (matrix === null) continue;
    const begin = end;
    end += matrix.blob.size;
    parts.push(matrix.blob);
    const place = { ...ref, dtype: 'F16' as const, file: narrowedFile, begin, end };
    places.set(placeOf(ref), place);
    scales.set(placeOf(place), matrix.scale);
  }
  if (parts.length === 0) return weights;
  const whole = new Blob(parts);
  const place = (ref: TensorRef): TensorRef => places.get(placeOf(ref)) ?? ref;
  const source: ScaledSource = {
    layerTensor: (role, layer) => place(weights.layerTensor(role, layer)),
    modelTensor: (role) => place(weights.modelTensor(role)),
    scale: (ref) => scales.get(placeOf(ref)) ?? 1,
    owner: (ref) => (ref.file === narrowedFile ? source : ownerOf(weights, ref)),
    file: async (name, readSignal) => (name === narrowedFile ? whole : weights.file(name, readSignal)),
    async read(ref, readSignal) {
      if (ref.file !== narrowedFile) return weights.read(ref, readSignal);
      return new Uint8Array(await whole.slice(ref.begin, ref.end).arrayBuffer());
    },
  };
  return source;
}
