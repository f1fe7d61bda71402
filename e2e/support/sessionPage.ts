/**
 * @file What runs in the page of externalData.spec.ts: sessions of ONNX Runtime's JSPI build on a model made in memory, while the
 * garbage collector runs at every read.
 */
import type { LoadedOrt } from '../../src/benchmark/ort';
import { openSession } from '../../src/benchmark/session';
import { layerRoles, layerWeightDims, type ModelShape, modelRoles, modelWeightDims } from '../../src/model/shape';
import type { TensorRef, WeightSource } from '../../src/model/weights';

const layer = { heads: 8, kvHeads: 4, headDim: 64, ffn: 1536 };
const shape: ModelShape = {
  family: 'llama',
  vocab: 512,
  hidden: 512,
  normEps: 1e-5,
  ropeTheta: 10_000,
  maxPositions: 64,
  tiedHead: true,
  layers: [0, 1, 2, 3].map((source) => ({ source, ...layer })),
};

/** F16 weights of about ±0.02 in one file, given as a Blob of many parts. */
function model(): { shape: ModelShape; weights: WeightSource } {
  const refs = new Map<string, TensorRef>();
  let end = 14;
  const add = (name: string, dims: number[]): void => {
    const begin = end;
    end += dims.reduce((a, b) => a * b, 2);
    refs.set(name, { name, dtype: 'F16', dims, file: 'w.safetensors', begin, end });
  };
  for (const role of modelRoles(shape)) add(role, modelWeightDims(shape, role));
  for (const each of shape.layers) {
    for (const role of layerRoles(each)) add(`${each.source}.${role}`, layerWeightDims(shape, each, role));
  }
  const float16 = new Uint16Array(Math.ceil(end / 2));
  for (let i = 0, state = 1; i < float16.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    float16[i] = ((state >>> 16) & 0x8000) | ((6 + (state >>> 30)) << 10) | ((state >>> 12) & 0x3ff);
  }
  const bytes = new Uint8Array(float16.buffer, 0, end);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < end; at += 2 ** 22) parts.push(bytes.slice(at, at + 2 ** 22));
  const weights: WeightSource = {
    layerTensor: (role, source) => refs.get(`${source}.${role}`)!,
    modelTensor: (role) => refs.get(role)!,
    read: async ({ begin, end: last }) => bytes.slice(begin, last),
    file: async () => new Blob(parts),
  };
  return { shape, weights };
}

type Collect = (options: { type: 'major'; execution: 'async' }) => Promise<void>;

/** Collects garbage once each read of a Blob is under way, whichever way it is read. Returns how often so far. */
function collectAtEveryRead(): () => number {
  const gc = (globalThis as unknown as { gc: Collect }).gc;
  let collections = 0;
  const collectSoon = (): void => {
    void gc({ type: 'major', execution: 'async' }).then(() => {
      collections += 1;
    });
  };
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = function collecting() {
    const reading = arrayBuffer.call(this);
    collectSoon();
    return reading;
  };
  const { read } = ReadableStreamBYOBReader.prototype;
  // The promise is left to the caller alone, as without this: nothing here may keep stream or reader.
  ReadableStreamBYOBReader.prototype.read = function collecting<T extends ArrayBufferView<ArrayBuffer>>(view: T) {
    collectSoon();
    return read.call(this, view) as Promise<ReadableStreamReadResult<T>>;
  };
  return () => collections;
}

/** Opens a session from bytes and `times` from a Blob while garbage is collected; gives the largest difference of their logits. */
export async function compare(library: LoadedOrt, times: number): Promise<{ difference: number; collections: number }> {
  const opened = model();
  const input = { tokens: [1, 2, 3, 4, 5, 6], batch: 1, rows: [5] };
  const logits = async (bytesUpTo: number): Promise<Float32Array> => {
    const session = await openSession({ ...opened, runtime: 'ort-wasm', library, bytesUpTo });
    const result = await session.forward(input);
    await session.release();
    return result;
  };
  const expected = await logits(Number.POSITIVE_INFINITY);
  const collections = collectAtEveryRead();
  let difference = 0;
  for (let time = 0; time < times; time++) {
    const got = await logits(0);
    got.forEach((value, i) => {
      const away = Math.abs(value - expected[i]!);
      if (!(away <= difference)) difference = away;
    });
  }
  return { difference, collections: collections() };
}
