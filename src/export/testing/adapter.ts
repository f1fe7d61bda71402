/** @file For tests: factors of a LoRA training at random, and a golden checkpoint with them merged. */

import { layerTensorName } from '../../model/architectures/architecture';
import { layerRoles, layerWeightDims, projectionRoles } from '../../model/shape';
import { toFloat32 } from '../../model/weights';
import { createRandom } from '../../numerics/random';
import type { RetrainStep } from '../../pruning/variant';
import { type FactorPlace, type KeptAdapter, keepAdapter } from '../../retrain/keptAdapter';
import type { TensorToWrite } from '../../shards/formats/safetensors';
import type { ExportSource } from '../exported';
import { writtenArchitecture } from '../huggingface/uneven';
import { exportSourceOf, planOf } from './source';

export const loraStep: RetrainStep = {
  ...{ kind: 'retrain', method: 'lora', steps: 2, batch: 1, learningRate: 1e-3, seed: 1 },
  text: { corpus: 'calibration', samples: 4, seqLen: 16, seed: 1, hash: 'c0ffee' },
  lora: { rank: 2, alpha: 3, dropout: 0 },
};

/** The adapter's parent, the parent with the adapter beside it, and the parent with the factors merged in float32. */
export interface AdapterCase {
  readonly parent: ExportSource;
  readonly adapted: ExportSource;
  readonly merged: ExportSource;
}

/** Of the checkpoint without its second block. */
export async function adapterCase(name: string): Promise<AdapterCase> {
  const plan = planOf([{ kind: 'block', layer: 1 }]);
  const parent = await exportSourceOf(name, { plan });
  const { shape, weights } = parent.view;
  const random = createRandom(5);
  const { rank, alpha } = loraStep.lora!;
  const factors: (FactorPlace & { values: Float32Array<ArrayBuffer> })[] = [];
  const patch: TensorToWrite[] = [];
  for (const [layer, own] of shape.layers.entries()) {
    for (const role of projectionRoles.filter((target) => layerRoles(own).includes(target))) {
      const [rows, columns] = layerWeightDims(shape, own, role) as [number, number];
      const draw = (count: number) => Float32Array.from({ length: count }, () => (random() - 0.5) / 8);
      const [a, b] = [draw(rank * columns), draw(rows * rank)];
      factors.push({ layer, role, kind: 'A', dims: [rank, columns], values: a });
      factors.push({ layer, role, kind: 'B', dims: [rows, rank], values: b });
      const ref = weights.layerTensor(role, own.source);
      const values = Float32Array.from(toFloat32(await weights.read(ref), ref.dtype));
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * columns + column]!;
          values[row * columns + column]! += (alpha / rank) * sum;
        }
      }
      const tensor = layerTensorName(writtenArchitecture(shape.family), role, own.source);
      patch.push({ name: tensor, dtype: 'F32', dims: [rows, columns], data: new Uint8Array(values.buffer) });
    }
  }
  const adapter: KeptAdapter = await keepAdapter(loraStep.lora!, { id: 'v1', name: 'without 1' }, listed(factors));
  const recipe = [...parent.recipe, loraStep];
  const kept = { hasAdapter: true, adapter, adapterBase: { path: `${name}-parent`, revision: null } };
  return {
    parent,
    adapted: { ...parent, recipe, ...kept },
    merged: await exportSourceOf(name, { plan, recipe, patch }),
  };
}

async function* listed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
