/**
 * @file Weights that are not finite: found while their bytes pass by, and refused by name where a number would be computed
 * from them. Loading does not fail for them: a variant without the broken tensor is as good as any.
 */
import { LabError, throwIfAborted } from '../errors';
import { bf16ToF32, f16ToF32 } from '../numerics/float16';
import type { TaskOptions } from '../task';
import { type LayerShape, layerRoles, type ModelShape, modelRoles } from './shape';
import { bytesPerElement, ownerOf, partOfTensor, type StoredDtype, type TensorRef, type WeightSource } from './weights';

/** Bits of an infinity: a value is finite where its exponent has a zero among these. */
const exponentBits = { F32: 0x7f800000, F16: 0x7c00, BF16: 0x7f80 } as const;
/**
 * The same for a word of 32 bits, which holds two halves: adding `step` to the exponents carries into a sign bit where one
 * is all ones, and nowhere else.
 */
const wordTests = {
  F32: { exponents: 0x7f800000, step: 0x00800000, signs: 0x80000000 },
  F16: { exponents: 0x7c007c00, step: 0x04000400, signs: 0x80008000 },
  BF16: { exponents: 0x7f807f80, step: 0x00800080, signs: 0x80008000 },
} as const;
/** Words that are tested together. */
const runWords = 4096;
/** Places that are remembered of one tensor; beyond, only how many there are. */
const mostPlaces = 4096;
/** Bytes per read when the weights are read only for this check. */
const pieceBytes = 2 ** 24;

/** What is known of a tensor. */
interface Looked {
  readonly name: string;
  /** Elements from the first one on that were looked at. */
  elements: number;
  /** How many of them are not finite. */
  count: number;
  /** The first of those: flat index and value. */
  first: { readonly index: number; readonly value: number } | null;
  /** Flat indices of the first few thousand. */
  readonly places: number[];
}

/** The elements among `bytes` that are infinite or not a number: their indices, as many as `most`, and how many in all. */
export function nonFiniteAmong(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: StoredDtype,
  most = mostPlaces,
): { readonly count: number; readonly places: number[] } {
  // Integers throughout: a comparison of floats may be true or false of what is not a number.
  const found = { count: 0, places: [] as number[] };
  const perWord = 4 / bytesPerElement[dtype];
  const whole = bytes.byteOffset % 4 === 0 ? bytes.byteLength >> 2 : 0;
  const words = new Uint32Array(bytes.buffer, whole === 0 ? 0 : bytes.byteOffset, whole);
  const { exponents, step, signs } = wordTests[dtype];
  for (let begin = 0; begin < whole; begin += runWords) {
    const end = Math.min(whole, begin + runWords);
    let hit = 0;
    for (let i = begin; i < end; i++) hit |= ((words[i]! & exponents) + step) & signs;
    if (hit !== 0) count(bytes, dtype, begin * perWord, end * perWord, most, found);
  }
  count(bytes, dtype, whole * perWord, bytes.byteLength / bytesPerElement[dtype], most, found);
  return found;
}

/** Counts among the elements begin … end − 1. */
function count(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: StoredDtype,
  begin: number,
  end: number,
  most: number,
  found: { count: number; places: number[] },
): void {
  const mask = exponentBits[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = begin; i < end; i++) {
    const bits = dtype === 'F32' ? view.getUint32(4 * i, true) : view.getUint16(2 * i, true);
    if ((bits & mask) !== mask) continue;
    found.count += 1;
    if (found.places.length < most) found.places.push(i);
  }
}

function valueAt(bytes: Uint8Array<ArrayBuffer>, dtype: StoredDtype, index: number): number {
  const size = bytesPerElement[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset + index * size, size);
  if (dtype === 'F32') return view.getFloat32(0, true);
  const float16 = Uint16Array.of(view.getUint16(0, true));
  return (dtype === 'F16' ? f16ToF32(float16) : bf16ToF32(float16))[0]!;
}

/** What is known of the tensors that one object owns. */
interface Seen {
  readonly looked: Map<string, Looked>;
  /** Tensors with a value that is not finite. */
  broken: number;
}

/** By the owner of the bytes, so that all views of a model share what is known of their common tensors. */
const seenOf = new WeakMap<object, Seen>();

function seen(owner: object): Seen {
  const known = seenOf.get(owner) ?? { looked: new Map<string, Looked>(), broken: 0 };
  seenOf.set(owner, known);
  return known;
}

/** What is known of the values of a model's weights, or of those of a variant. */
export class WeightFindings {
  readonly #weights: WeightSource;

  constructor(weights: WeightSource) {
    this.#weights = weights;
  }

  #seen(tensor: TensorRef): Seen {
    return seen(ownerOf(this.#weights, tensor));
  }

  #found(tensor: TensorRef): Looked | undefined {
    return this.#seen(tensor).looked.get(keyOf(tensor));
  }

  /** Looks at bytes of a tensor from element `first` on, of which those that were seen before cost nothing. */
  look(tensor: TensorRef, bytes: Uint8Array<ArrayBuffer>, first = 0): void {
    const key = keyOf(tensor);
    const all = this.#seen(tensor);
    const known = all.looked.get(key) ?? { name: tensor.name, elements: 0, count: 0, first: null, places: [] };
    const size = bytesPerElement[tensor.dtype];
    const end = first + bytes.byteLength / size;
    if (first > known.elements || end <= known.elements) return;
    const fresh = bytes.subarray((known.elements - first) * size);
    const { count, places } = nonFiniteAmong(fresh, tensor.dtype, mostPlaces - known.places.length);
    if (known.count === 0 && count > 0) {
      all.broken += 1;
      known.first = { index: known.elements + places[0]!, value: valueAt(fresh, tensor.dtype, places[0]!) };
    }
    known.count += count;
    for (const place of places) known.places.push(known.elements + place);
    known.elements = end;
    all.looked.set(key, known);
  }

  /** Nothing that was looked at so far is broken. False for weights of several owners, each tensor of which has to be asked about. */
  get areFinite(): boolean {
    return this.#weights.owner === undefined && seen(this.#weights).broken === 0;
  }

  /** Whether every value of a tensor was looked at. */
  isKnown(tensor: TensorRef): boolean {
    const elements = (tensor.end - tensor.begin) / bytesPerElement[tensor.dtype];
    return (this.#found(tensor)?.elements ?? 0) >= elements;
  }

  /** Throws 'non-finite', naming the first of the tensors in which a value that was looked at is not finite. */
  refuse(tensors: Iterable<TensorRef>): void {
    if (this.areFinite) return;
    for (const tensor of tensors) {
      const found = this.#found(tensor);
      if (found !== undefined && found.count > 0) throw refusal(tensor, found);
    }
  }

  /** The same for rows of a matrix: only values in these rows count. */
  refuseRows(tensor: TensorRef, rows: Iterable<number>): void {
    const found = this.areFinite ? undefined : this.#found(tensor);
    if (found === undefined || found.count === 0) return;
    const width = tensor.dims[1] ?? 1;
    const broken = new Set(found.places.map((place) => Math.floor(place / width)));
    for (const row of rows) {
      if (!broken.has(row) && found.count === found.places.length) continue;
      throw refusal(tensor, found);
    }
  }
}

function refusal(tensor: TensorRef, { first, count }: Looked): LabError {
  const total = (tensor.end - tensor.begin) / bytesPerElement[tensor.dtype];
  const many =
    count === 1 ? `1 of its ${total} values is not finite` : `${count} of its ${total} values are not finite`;
  return new LabError(
    'non-finite',
    `${tensor.name}[${first?.index}] = ${first?.value}: ${many}, so no number can be computed from them.`,
    'The file was already broken when it was saved: get another copy or revision of the model, or measure a variant without this part.',
  );
}

/** Of a whole tensor: no two of a checkpoint begin at the same byte of the same file, unless they are empty. */
const keyOf = ({ file, begin, name }: TensorRef): string => `${file} ${begin} ${name}`;

const findings = new WeakMap<WeightSource, WeightFindings>();

/** The findings about these weights; every reader adds to them. */
export function findingsOf(weights: WeightSource): WeightFindings {
  const known = findings.get(weights) ?? new WeightFindings(weights);
  findings.set(weights, known);
  return known;
}

/** The tensors that layers read: of each the roles that it has. */
export function* layerTensors(layers: readonly LayerShape[], weights: WeightSource): Generator<TensorRef> {
  for (const layer of layers) for (const role of layerRoles(layer)) yield weights.layerTensor(role, layer.source);
}

/**
 * Checks every tensor of the shape that was not checked yet, and throws 'non-finite' if one is broken. For code that
 * passes stored files to another runtime. Of an embedding that is no head at the same time only its broken rows matter,
 * which a text may lack: the result tells.
 */
export async function refuseNonFiniteWeights(
  shape: ModelShape,
  weights: WeightSource,
  { signal, onProgress }: TaskOptions = {},
): Promise<void> {
  const known = findingsOf(weights);
  const outside = modelRoles(shape).filter((role) => role !== 'embed' || shape.tiedHead);
  const tensors = [...outside.map((role) => weights.modelTensor(role)), ...layerTensors(shape.layers, weights)];
  const unknown = tensors.filter((tensor) => !known.isKnown(tensor));
  const total = unknown.reduce((sum, { begin, end }) => sum + end - begin, 0);
  let done = 0;
  for (const tensor of unknown) {
    const size = tensor.end - tensor.begin;
    for (let begin = 0; begin < size; begin += pieceBytes) {
      throwIfAborted(signal, 'Checking the weights');
      const end = Math.min(size, begin + pieceBytes);
      const bytes = await weights.read(partOfTensor(tensor, begin, end), signal);
      known.look(tensor, bytes, begin / bytesPerElement[tensor.dtype]);
      done += end - begin;
      onProgress?.({ stage: 'Checking the weights', done, total, unit: 'bytes' });
    }
  }
  known.refuse(tensors);
}
