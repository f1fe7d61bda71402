/** @file Key/value caches of a session: one that grows with every run, and one that stays in GPU buffers. */

import type { LayerShape, ModelShape } from '../model/shape';
import type { GraphReport } from '../onnx/graph';
import type { OrtLibrary, OrtTensor } from './ort';

type Tensors = Record<string, OrtTensor>;

/** The past of a batch of sequences of equal length. */
export interface KvCache {
  readonly batch: number;
  /** Most tokens per sequence. */
  readonly capacity: number;
  /** Tokens per sequence so far. */
  readonly filled: number;
  /** Largest number of bytes held so far. */
  readonly bytes: number;
  feeds(): Tensors;
  /** Outputs to ask for from a run of `count` tokens per sequence; a tensor is one to write into. */
  fetches(count: number): Record<string, OrtTensor | null>;
  /** Takes what a run of `count` tokens per sequence gave. */
  advance(count: number, outputs: Readonly<Tensors>): void;
  /** Forgets the tokens and keeps the memory. */
  reset(): void;
  dispose(): void;
}

export interface CacheSpec {
  readonly ort: OrtLibrary;
  readonly shape: ModelShape;
  readonly report: GraphReport;
  readonly batch: number;
  readonly capacity: number;
}

const kinds = ['key', 'value'] as const;

/** One entry per cache tensor of the graph. */
export function slots({ shape, report }: Pick<CacheSpec, 'shape' | 'report'>) {
  return report.cachedLayers.flatMap((index) =>
    kinds.map((kind) => ({
      past: `past_${kind}_${index}`,
      present: `present_${kind}_${index}`,
      layer: shape.layers[index] as LayerShape,
    })),
  );
}

/** Element type of a graph's caches. */
export const cacheType = ({ precision }: GraphReport) => (precision === 'f16' ? 'float16' : 'float32');
/** Bytes of an element of it. */
export const cacheElement = (report: GraphReport): number => (cacheType(report) === 'float16' ? 2 : 4);

function emptyTensor(ort: OrtLibrary, report: GraphReport, dims: readonly number[]): OrtTensor {
  if (cacheType(report) === 'float32') return new ort.Tensor('float32', new Float32Array(0), dims);
  // Browsers with Float16Array want one; their bytes are the same.
  const SubBlock = (globalThis as { Float16Array?: new (length: number) => Uint16Array }).Float16Array ?? Uint16Array;
  return new ort.Tensor('float16', new SubBlock(0), dims);
}

/** Bytes of the cache of one sequence of so many tokens, as the graph holds it: layers with a sliding window keep all tokens too. */
export function graphCacheBytes({ shape, report }: Pick<CacheSpec, 'shape' | 'report'>, tokens: number): number {
  return slots({ shape, report }).reduce(
    (sum, { layer }) => sum + cacheElement(report) * layer.kvHeads * layer.headDim * tokens,
    0,
  );
}

/** Past tensors [batch, kvHeads, 0, headDim]: a run that starts at position 0. */
export function emptyPast({ ort, shape, report, batch }: Omit<CacheSpec, 'capacity'>): Tensors {
  return Object.fromEntries(
    slots({ shape, report }).map(({ past, layer }) => [
      past,
      emptyTensor(ort, report, [batch, layer.kvHeads, 0, layer.headDim]),
    ]),
  );
}

/** present becomes past: right on every provider, the faster form on wasm. */
export function growingCache(spec: CacheSpec): KvCache {
  const all = slots(spec);
  const perToken = all.reduce(
    (sum, { layer }) => sum + cacheElement(spec.report) * spec.batch * layer.kvHeads * layer.headDim,
    0,
  );
  let past = emptyPast(spec);
  let filled = 0;
  let bytes = 0;
  return {
    batch: spec.batch,
    capacity: spec.capacity,
    get filled() {
      return filled;
    },
    get bytes() {
      return bytes;
    },
    feeds: () => past,
    fetches: () => Object.fromEntries(all.map(({ present }) => [present, null])),
    advance(count, outputs) {
      // Past and present live side by side for a moment.
      bytes = Math.max(bytes, perToken * (2 * filled + count));
      filled += count;
      const old = past;
      past = Object.fromEntries(all.map((slot) => [slot.past, outputs[slot.present] as OrtTensor]));
      for (const tensor of Object.values(old)) tensor.dispose();
    },
    reset() {
      filled = 0;
      past = emptyPast(spec);
    },
    dispose() {
      for (const tensor of Object.values(past)) tensor.dispose();
      past = {};
    },
  };
}

/** Past and present are the same GPU buffers of full length: nothing is allocated or copied per token. WebGPU only. */
export function staticCache(spec: CacheSpec, device: GPUDevice): KvCache {
  const all = slots(spec);
  const buffers: GPUBuffer[] = [];
  const shared = new Map<string, OrtTensor>();
  let bytes = 0;
  for (const { past, layer } of all) {
    const dims = [spec.batch, layer.kvHeads, spec.capacity, layer.headDim];
    const size = cacheElement(spec.report) * dims.reduce((a, b) => a * b, 1);
    const buffer = device.createBuffer({
      label: past,
      size: Math.ceil(size / 16) * 16,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    buffers.push(buffer);
    bytes += buffer.size;
    shared.set(past, spec.ort.Tensor.fromGpuBuffer(buffer, { dataType: cacheType(spec.report), dims }) as OrtTensor);
  }
  let filled = 0;
  return {
    batch: spec.batch,
    capacity: spec.capacity,
    get filled() {
      return filled;
    },
    bytes,
    feeds: () => Object.fromEntries(shared),
    fetches: () => Object.fromEntries(all.map(({ past, present }) => [present, shared.get(past) as OrtTensor])),
    advance(count) {
      filled += count;
    },
    reset() {
      filled = 0;
    },
    dispose() {
      for (const buffer of buffers) buffer.destroy();
      shared.clear();
    },
  };
}
