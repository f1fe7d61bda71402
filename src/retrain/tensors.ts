/** @file The trained weights as tensors of a variant's own, in the types that the model stores. */
import type { Trainer } from '../engine/train/trainer';
import { layerRoles, modelRoles, modelWeightDims } from '../model/shape';
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

function rounded(values: Float32Array<ArrayBuffer>, dtype: OwnTensor['dtype']): BlobPart {
  if (dtype === 'F16') return f32ToF16(values);
  return dtype === 'BF16' ? f32ToBf16(values) : values;
}
