/**
 * @file A model's weights on the GPU, in their stored type.
 *
 * Embedding, final norm and head stay; an embedding or head beyond what one binding holds is split by vocabulary rows.
 * Blocks are there as far as memory allows (`blockStore.ts`).
 */
import { layerRoles, type ModelShape, modelRoles } from '../../model/shape';
import { bytesPerElement, type TensorRef, type WeightSource } from '../../model/weights';
import type { TaskOptions } from '../../task';
import type { Buffers } from '../gpu/buffers';
import type { GpuContext } from '../gpu/device';
import { type BlockLayout, blockLayout } from './blockLayout';
import { BlockStore } from './blockStore';
import type { VocabPart } from './gpuWeights';
import { WeightChecks } from './weightChecks';
import { stopBy, WeightUpload } from './weightUpload';

export interface ModelWeights {
  readonly embed: readonly VocabPart[];
  /** The same parts as `embed` when the head is tied. */
  readonly head: readonly VocabPart[];
  readonly finalNorm: GPUBuffer;
  readonly blocks: BlockStore;
  /** Refuses weights that are not finite where they would be used. */
  readonly checks: WeightChecks;
}

export interface UploadOptions extends TaskOptions {
  /** Largest part of the embedding or head in one binding, bytes; the adapter's limit unless given. */
  vocabPartBytes?: number;
  /** Memory for all weights, bytes: where the blocks do not fit, they stream. Unless given, as much as the GPU gives. */
  weightBytes?: number | undefined;
}

/** Puts the weights of the shape on the GPU: of the blocks as many as there is room for, two at least. */
export async function uploadWeights(
  context: GpuContext,
  buffers: Buffers,
  shape: ModelShape,
  weights: WeightSource,
  { signal, onProgress, vocabPartBytes, weightBytes }: UploadOptions,
): Promise<ModelWeights> {
  const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
  const partBytes = vocabPartBytes ?? Math.min(maxBufferSize, maxStorageBufferBindingSize);
  const upload = new WeightUpload(context, shape, weights);
  const total = totalBytes(shape, weights);
  const stop = stopBy(signal);
  const report = (): void => onProgress?.({ stage: 'upload', done: upload.read, total, unit: 'bytes' });

  const before = buffers.use().liveBytes;
  const vocabulary = async (role: 'embed' | 'lmHead'): Promise<VocabPart[]> => {
    const { vocab, hidden } = shape;
    const { dtype } = upload.modelWeight(role).tensor;
    // Multiples of 8 rows keep every part at a whole number of 16 bytes.
    const step = Math.max(Math.floor(partBytes / (hidden * bytesPerElement[dtype]) / 8) * 8, 8);
    const parts: VocabPart[] = [];
    for (let first = 0; first < vocab; first += step) {
      const rows = Math.min(step, vocab - first);
      const buffer = await buffers.allocate(rows * hidden * bytesPerElement[dtype], role);
      await upload.model(role, { first: first * hidden, count: rows * hidden, dtype }, buffer, stop);
      parts.push({ buffer, dtype, rows, inner: hidden, first });
      report();
    }
    return parts;
  };
  const embed = await vocabulary('embed');
  const head = shape.tiedHead ? embed : await vocabulary('lmHead');
  const finalNorm = await buffers.allocate(shape.hidden * 4, 'finalNorm');
  await upload.model('finalNorm', { first: 0, count: shape.hidden, dtype: 'F32' }, finalNorm, stop);
  const outside = buffers.use().liveBytes - before;

  const layouts = new Map<number, BlockLayout>();
  for (const layer of shape.layers) {
    if (!layouts.has(layer.source)) layouts.set(layer.source, blockLayout(shape, layer, weights));
  }
  const blocks = new BlockStore(buffers, upload, layouts);
  await blocks.fill(weightBytes === undefined ? null : weightBytes - outside, signal, report);
  return { embed, head, finalNorm, blocks, checks: new WeightChecks(shape, weights) };
}

function totalBytes(shape: ModelShape, weights: WeightSource): number {
  const size = ({ begin, end }: TensorRef): number => end - begin;
  const outside = modelRoles(shape).map((role) => size(weights.modelTensor(role)));
  const sources = new Map(shape.layers.map((layer) => [layer.source, layer]));
  const blocks = [...sources.values()].flatMap((layer) =>
    layerRoles(layer).map((role) => size(weights.layerTensor(role, layer.source))),
  );
  return [...outside, ...blocks].reduce((a, b) => a + b, 0);
}
