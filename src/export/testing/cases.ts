/** @file For tests: variants of a golden checkpoint, of every kind that pruning makes. */

import { architectureOf } from '../../model/architectures';
import { layerTensorName } from '../../model/architectures/architecture';
import { whyHeadsStay } from '../../model/headStructures';
import type { LayerShape } from '../../model/shape';
import type { DepthUnit } from '../../model/unit';
import { createRandom } from '../../numerics/random';
import type { Step } from '../../pruning/variant';
import type { TensorToWrite } from '../../shards/formats/safetensors';
import { canRescale } from '../../weights/rescaled';
import type { ExportSource } from '../exported';
import { exportSourceOf, planOf } from './source';

export const caseNames = ['base', 'depth', 'even', 'uneven', 'sub-blocks', 'biases', 'rescaled'] as const;
export type CaseName = (typeof caseNames)[number];

const firsts = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Heads that stay where an attention loses a key/value group, or one head where it has a single group. */
function fewerHeads(layer: LayerShape): number[] | null {
  if (whyHeadsStay(layer) !== null || layer.heads < 2) return null;
  const group = layer.heads / layer.kvHeads;
  return firsts(layer.kvHeads > 1 ? layer.heads - group : layer.heads - 1);
}

/** A bias of the variant's own, by its name in the base. */
function bias(base: ExportSource['baseShape'], role: 'oBias' | 'downBias', block: number): TensorToWrite {
  const random = createRandom(7 + block);
  const values = Float32Array.from({ length: base.hidden }, () => (random() - 0.5) / 4);
  const name = layerTensorName(architectureOf(base.family), role, block);
  return { name, dtype: 'F32', dims: [base.hidden], data: new Uint8Array(values.buffer) };
}

/** One of the variants; null where the family does not allow it. */
export async function variantCase(name: string, kind: CaseName): Promise<ExportSource | null> {
  const base = await exportSourceOf(name);
  const { layers } = base.baseShape;
  const last = layers.length - 1;
  const heads = layers.map(fewerHeads);
  const neurons = layers.map(({ ffn }) => firsts(ffn).filter((neuron) => neuron % 3 !== 1));
  const units: DepthUnit[] = [
    { kind: 'attention', layer: 0 },
    { kind: 'mlp', layer: last },
    ...(layers.length > 3 ? [{ kind: 'block' as const, layer: 1 }] : []),
  ];
  switch (kind) {
    case 'base':
      return base;
    case 'depth':
      return exportSourceOf(name, { plan: planOf([{ kind: 'block', layer: 1 }]) });
    case 'even':
      return exportSourceOf(name, { plan: planOf([], { keepHeads: heads, keepNeurons: neurons }) });
    case 'uneven': {
      const some = <T>(lists: readonly T[]): (T | null)[] =>
        lists.map((list, layer) => (layer % 2 === 0 ? list : null));
      return exportSourceOf(name, { plan: planOf([], { keepHeads: some(heads), keepNeurons: some(neurons) }) });
    }
    case 'sub-blocks':
      return exportSourceOf(name, { plan: planOf(units) });
    case 'biases':
      return exportSourceOf(name, {
        plan: planOf([{ kind: 'block', layer: 1 }]),
        patch: [bias(base.baseShape, 'oBias', 0), bias(base.baseShape, 'downBias', last)],
      });
    case 'rescaled': {
      if (!canRescale(base.baseShape)) return null;
      const text = { corpus: 'text', samples: 4, seqLen: 64, seed: 1, hash: 'h' };
      const repair: Step = {
        kind: 'repair',
        method: 'prune-and-comp',
        text,
        rescalings: [{ before: 1, factor: 1.25 }],
      };
      return exportSourceOf(name, { plan: planOf([{ kind: 'block', layer: 1 }]), recipe: [repair] });
    }
    default:
      return kind satisfies never;
  }
}
