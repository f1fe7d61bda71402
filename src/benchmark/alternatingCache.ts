/** @file A key/value cache on the GPU for graphs whose present is another buffer than their past. */
import { type CacheSpec, cacheElement, cacheType, emptyPast, type KvCache, slots } from './cache';
import type { OrtTensor } from './ort';

/**
 * Two GPU buffers of full length for each tensor: a run reads the tokens so far from one and writes them, with the new
 * ones behind, to the other. Nothing is allocated per token. WebGPU only.
 */
export function alternatingCache(spec: CacheSpec, device: GPUDevice): KvCache {
  const all = slots(spec).map((slot) => ({
    ...slot,
    buffers: [newBuffer(slot.layer), newBuffer(slot.layer)] as const,
  }));
  const bytes = all.reduce((sum, { buffers }) => sum + 2 * buffers[0].size, 0);
  const empty = emptyPast(spec);
  let filled = 0;
  let front: 0 | 1 = 0;
  const back = () => (front === 0 ? 1 : 0);

  function newBuffer({ kvHeads, headDim }: { kvHeads: number; headDim: number }): GPUBuffer {
    const size = cacheElement(spec.report) * spec.batch * kvHeads * spec.capacity * headDim;
    return device.createBuffer({
      size: Math.ceil(size / 16) * 16,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }
  const view = (slot: (typeof all)[number], side: 0 | 1, length: number): OrtTensor => {
    const dims = [spec.batch, slot.layer.kvHeads, length, slot.layer.headDim];
    return spec.ort.Tensor.fromGpuBuffer(slot.buffers[side], { dataType: cacheType(spec.report), dims }) as OrtTensor;
  };
  return {
    batch: spec.batch,
    capacity: spec.capacity,
    get filled() {
      return filled;
    },
    bytes,
    feeds() {
      if (filled === 0) return empty;
      return Object.fromEntries(all.map((slot) => [slot.past, view(slot, front, filled)]));
    },
    fetches: (count) => Object.fromEntries(all.map((slot) => [slot.present, view(slot, back(), filled + count)])),
    advance(count) {
      front = back();
      filled += count;
    },
    reset() {
      filled = 0;
    },
    dispose() {
      for (const { buffers } of all) for (const buffer of buffers) buffer.destroy();
    },
  };
}
