/**
 * @file Weights multiplied by factors, so that the hidden state has another size before a block. Nothing is stored: values are
 * multiplied when they are read, and rounded to the stored type. Vectors become F32.
 */
import { LabError, throwIfAborted } from '../errors';
import { hashText } from '../io/hash';
import type { LayerRole, LayerShape, ModelRole, ModelShape } from '../model/shape';
import {
  bytesPerElement,
  ownerOf,
  partOfTensor,
  placeOf,
  type TensorRef,
  toFloat32,
  type WeightSource,
} from '../model/weights';
import { f32ToBf16, f32ToF16 } from '../numerics/float16';

/** Multiplies the hidden state before the block whose index in the checkpoint is `before`. */
export interface Factor {
  readonly before: number;
  readonly factor: number;
}

/** A value w becomes scale · (w + offset) − offset: norms of some families are stored around 0. */
interface AffineMap {
  readonly scale: number;
  readonly offset: number;
}

interface Rescaled {
  readonly ref: TensorRef;
  readonly parent: TensorRef;
  readonly map: AffineMap;
}

/** Bytes of the parent that are multiplied at a time. */
const pieceBytes = 2 ** 24;

/** Whether rescaling is exact: each sub-block reads a normalized hidden state. A norm on outputs alone does not normalize inputs. */
export function canRescale({ layers }: ModelShape): boolean {
  return layers.every(({ normPlacement }) => normPlacement !== 'post');
}

/**
 * The weights with the hidden state multiplied before some blocks. Throws 'not-available' where the family's norms do not allow it,
 * 'bad-argument' for a factor that is not a positive number.
 */
export function rescaled(shape: ModelShape, parent: WeightSource, factors: readonly Factor[]): WeightSource {
  if (!canRescale(shape)) {
    throw new LabError(
      'not-available',
      'The blocks of this family read the hidden state without a norm, so that its size cannot be changed by factors.',
      "Use the repair 'none'.",
    );
  }
  for (const { before, factor } of factors) {
    if (factor > 0 && Number.isFinite(factor)) continue;
    throw new LabError(
      'bad-argument',
      `The factor before block ${before}: expected a positive number, got ${factor}.`,
      'Make the variant again.',
    );
  }
  const total = factors.reduce((product, { factor }) => product * factor, 1);
  const after = (source: number): number =>
    factors.reduce((product, { before, factor }) => (source < before ? product * factor : product), 1);
  const layerOf = new Map(shape.layers.map((layer) => [layer.source, layer]));
  const offset = shape.normOffset ?? 0;
  const made = new Map<string, Rescaled>();

  const place = (whole: TensorRef, map: AffineMap): TensorRef => {
    if (map.scale === 1) return whole;
    const dtype = whole.dims.length === 1 ? ('F32' as const) : whole.dtype;
    const file = `rescaled-${hashText(JSON.stringify([placeOf(whole), map, dtype]))}.bin`;
    const elements = (whole.end - whole.begin) / bytesPerElement[whole.dtype];
    const ref = {
      ...whole,
      name: `${whole.name}[rescaled]`,
      dtype,
      file,
      begin: 0,
      end: elements * bytesPerElement[dtype],
    };
    made.set(file, { ref, parent: whole, map });
    return ref;
  };
  const layerMap = (role: LayerRole, source: number): AffineMap => {
    const layer = layerOf.get(source);
    return { scale: layer && writes(layer, role) ? after(source) : 1, offset: isNorm(role) ? offset : 0 };
  };
  const modelMap = (role: ModelRole): AffineMap => {
    if (role === 'embed') return { scale: total, offset: 0 };
    // The head is the embedding: the norm before the head undoes the factor of the embedding.
    return { scale: role === 'finalNorm' && shape.tiedHead ? 1 / total : 1, offset: role === 'finalNorm' ? offset : 0 };
  };

  /** Elements first … last − 1 of a rescaled tensor. */
  const convert = async ({ ref, parent: whole, map }: Rescaled, first: number, last: number, signal?: AbortSignal) => {
    const size = bytesPerElement[whole.dtype];
    const bytes = await parent.read(partOfTensor(whole, first * size, last * size), signal);
    const values = Float32Array.from(toFloat32(bytes, whole.dtype), (w) => map.scale * (w + map.offset) - map.offset);
    return bytesOf(values, ref.dtype);
  };
  const fileOf = async (one: Rescaled, signal?: AbortSignal): Promise<Blob> => {
    const { ref } = one;
    const elements = ref.end / bytesPerElement[ref.dtype];
    const step = pieceBytes / 4;
    const parts: Blob[] = [];
    for (let first = 0; first < elements; first += step) {
      throwIfAborted(signal, 'Rescaling weights');
      // A Blob each: the browser may move it out of the heap while the next values are read.
      parts.push(new Blob([await convert(one, first, Math.min(elements, first + step), signal)]));
    }
    return new Blob(parts);
  };

  const files = new Map<string, Blob>();
  const source: WeightSource = {
    layerTensor: (role, layer) => place(parent.layerTensor(role, layer), layerMap(role, layer)),
    modelTensor: (role) => place(parent.modelTensor(role), modelMap(role)),
    owner: (ref) => (made.has(ref.file) ? source : ownerOf(parent, ref)),
    async read(ref, signal) {
      const one = made.get(ref.file);
      if (!one) return parent.read(ref, signal);
      const size = bytesPerElement[one.ref.dtype];
      const first = Math.floor(ref.begin / size);
      const bytes = await convert(one, first, Math.ceil(ref.end / size), signal);
      return bytes.slice(ref.begin - first * size, ref.end - first * size);
    },
    async file(name, signal) {
      const one = made.get(name);
      if (!one) return parent.file(name, signal);
      const blob = files.get(name) ?? (await fileOf(one, signal));
      files.set(name, blob);
      return blob;
    },
  };
  return source;
}

const isNorm = (role: LayerRole): boolean => role === 'postAttnNorm' || role === 'postMlpNorm';

/** Whether a role decides the size of its sub-block's output. A norm on the output undoes factors before it. */
function writes({ normPlacement }: LayerShape, role: LayerRole): boolean {
  if (normPlacement === 'both') return isNorm(role);
  return role === 'oProj' || role === 'oBias' || role === 'downProj' || role === 'downBias';
}

function bytesOf(values: Float32Array<ArrayBuffer>, dtype: TensorRef['dtype']): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case 'F32':
      return new Uint8Array(values.buffer);
    case 'F16':
      return new Uint8Array(f32ToF16(values).buffer);
    case 'BF16':
      return new Uint8Array(f32ToBf16(values).buffer);
    default:
      return dtype satisfies never;
  }
}
