/** @file Full training: every weight of the view, which are float32 and the view's own. */
import {
  type LayerRole,
  layerRoles,
  layerWeightDims,
  type ModelRole,
  modelRoles,
  modelWeightDims,
} from '../../model/shape';
import { BlockGradientBuffers, VocabularyGradientBuffers } from '../pass/gradientBuffers';
import type { EngineParts } from '../pass/runtime';
import { roleSpans } from '../weights/roleSpans';
import type { StepGradients, Target, Trainable, TrainedGradient } from './trainable';

const blockKey = (layer: number, role: string): string => `${layer} ${role}`;
const roleOf = (key: string): string => key.slice(key.indexOf(' ') + 1);
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export const fullWeights: Trainable = {
  kernels: [],
  inBlocks: true,
  tensors({ shape }) {
    const outside = modelRoles(shape).map((role) => ({
      key: role,
      layer: null,
      count: product(modelWeightDims(shape, role)),
    }));
    const inBlocks = shape.layers.flatMap((own, layer) =>
      layerRoles(own).map((role) => ({
        key: blockKey(layer, role),
        layer,
        count: product(layerWeightDims(shape, own, role)),
      })),
    );
    return [...outside, ...inBlocks];
  },
  begin: (parts) => new FullGradients(parts),
  async targets(parts, { key, layer }, writing) {
    if (layer === null) return tableTargets(parts, key as ModelRole);
    const { blocks, shape } = parts;
    const own = shape.layers[layer]!;
    const weights = await (writing ? blocks.writable(own.source) : blocks.at(own.source));
    const role = roleOf(key);
    const span = roleSpans(shape, own, weights).get(role as LayerRole);
    if (span === undefined || span.dtype !== 'F32') throw notFloat32(role);
    return [{ weight: span.buffer, weightFirst: span.first, stateFirst: 0, count: span.count }];
  },
  close() {
    // The weights are the view's.
  },
};

class FullGradients implements StepGradients {
  readonly vocabulary: VocabularyGradientBuffers;
  readonly #parts: EngineParts;
  readonly #final: BlockGradientBuffers;
  readonly #blocks = new Map<number, BlockGradientBuffers>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#final = new BlockGradientBuffers(parts);
    this.vocabulary = new VocabularyGradientBuffers(parts);
  }

  sinkFor(place: number | 'finalNorm'): BlockGradientBuffers {
    if (place === 'finalNorm') return this.#final;
    const sink = new BlockGradientBuffers(this.#parts);
    this.#blocks.set(place, sink);
    return sink;
  }

  gradients(): TrainedGradient[] {
    const outside = [...this.#final.gradients, ...this.vocabulary.gradients];
    return [
      ...outside.map(([key, gradient]) => ({ key, layer: null, ...gradient })),
      ...[...this.#blocks].flatMap(([layer, { gradients }]) =>
        [...gradients].map(([role, gradient]) => ({ key: blockKey(layer, role), layer, ...gradient })),
      ),
    ];
  }
}

/** The parts of the embedding or the head, or the final norm. */
function tableTargets({ weights, shape }: EngineParts, role: ModelRole): Target[] {
  if (role === 'finalNorm') return [{ weight: weights.finalNorm, weightFirst: 0, stateFirst: 0, count: shape.hidden }];
  return weights[role === 'embed' ? 'embed' : 'head'].map(({ buffer, dtype, rows, inner, first }) => {
    if (dtype !== 'F32') throw notFloat32(role);
    return { weight: buffer, weightFirst: 0, stateFirst: first * inner, count: rows * inner };
  });
}

function notFloat32(role: string): Error {
  return new RangeError(`${role}: a view that is trained has float32 weights`);
}
