/** @file The trained weights as tensors of a variant's own, in the types that the model stores. */
import type { LoraTrainer } from '../engine/train/loraTrainer';
import type { Trainer } from '../engine/train/trainer';
import { layerRoles, modelRoles, modelWeightDims } from '../model/shape';
import type { WeightSource } from '../model/weights';
import { f32ToBf16, f32ToF16 } from '../numerics/float16';
import type { Weighted } from '../pruning/cuts';
import { ownTensor, valuesOf } from '../repair/tensors';
import type { OwnTensor } from '../repair/types';
import type { TaskOptions } from '../task';
import type { WrittenWeights } from '../weights/written';

/**
 * Every tensor of the model after a training. Biases and what the model stores as F32 stay F32; the others are rounded.
 * @param before the model as it was, whose types and names the tensors get
 */
export async function trainedTensors(
  { shape, weights }: Weighted,
  written: WrittenWeights,
  trainer: Pick<Trainer, 'table'>,
  task: TaskOptions,
): Promise<OwnTensor[]> {
  const tensors: OwnTensor[] = [];
  for (const layer of shape.layers) {
    for (const role of layerRoles(layer)) {
      const values = await valuesOf(written, written.layerTensor(role, layer.source), task);
      const { dims, dtype } = weights.layerTensor(role, layer.source);
      tensors.push(ownTensor(shape, role, layer.source, dims, values, dtype));
    }
  }
  for (const role of modelRoles(shape)) {
    const { name, dtype } = weights.modelTensor(role);
    const parts: Blob[] = [];
    await trainer.table(role, async (values) => void parts.push(new Blob([rounded(values, dtype)])), task);
    tensors.push({ role, source: null, name, dtype, dims: modelWeightDims(shape, role), data: new Blob(parts) });
  }
  return tensors;
}

/**
 * The projections that a training of low-rank factors changed, with the factors merged into them. One matrix at a time is in memory as
 * float32; the others may leave it, as Blobs.
 * @param before the model as it was, whose types and names the tensors get
 * @param frozen the weights beside the factors: those of `before`, or what a training of all weights made of them
 */
export async function mergedTensors(
  { shape, weights }: Weighted,
  frozen: WeightSource,
  trainer: Pick<LoraTrainer, 'merged' | 'targets'>,
  task: TaskOptions,
): Promise<OwnTensor[]> {
  const tensors: OwnTensor[] = [];
  const { targets } = trainer;
  for (const [done, target] of targets.entries()) {
    task.onProgress?.({ stage: 'Merging the factors', done, total: targets.length, unit: 'tensors' });
    const { source } = shape.layers[target.layer]!;
    const values = await valuesOf(frozen, frozen.layerTensor(target.role, source), task);
    const merged = await trainer.merged(target, values, task);
    const { dims, dtype } = weights.layerTensor(target.role, source);
    const tensor = ownTensor(shape, target.role, source, dims, merged, dtype);
    tensors.push({ ...tensor, data: new Blob([tensor.data]) });
  }
  return tensors;
}

function rounded(values: Float32Array<ArrayBuffer>, dtype: OwnTensor['dtype']): BlobPart {
  if (dtype === 'F16') return f32ToF16(values);
  return dtype === 'BF16' ? f32ToBf16(values) : values;
}
