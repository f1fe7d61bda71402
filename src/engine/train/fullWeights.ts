/** @file Full training: every weight of the view, which are float32 and the view's own. */
import {
  type LayerRole,
  layerRoles,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelRoles,
  modelWeightDims,
} from '../../model/shape';
import { BlockGradientBuffers, VocabularyGradientBuffers } from '../pass/gradientBuffers';
import type { GradientSink } from '../pass/gradientSink';
import type { EngineParts } from '../pass/runtime';
import type { VocabularySink } from '../pass/vocabularyBackward';
import { roleSpans } from '../weights/roleSpans';
import type { StepGradients, TakeGradient, Target, Trainable, TrainedGradient, TrainedTensor } from './trainable';

const blockKey = (layer: number, role: string): string => `${layer} ${role}`;
const roleOf = (key: string): string => key.slice(key.indexOf(' ') + 1);
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** All weights of a model. */
export function fullTensors(shape: ModelShape): TrainedTensor[] {
  const tensor = (key: string, layer: number | null, dims: readonly number[]): TrainedTensor => ({
    ...{ key, layer, count: product(dims), vector: dims.length === 1 },
  });
  const outside = modelRoles(shape).map((role) => tensor(role, null, modelWeightDims(shape, role)));
  const inBlocks = shape.layers.flatMap((own, layer) =>
    layerRoles(own).map((role) => tensor(blockKey(layer, role), layer, layerWeightDims(shape, own, role))),
  );
  return [...outside, ...inBlocks];
}

export const fullWeights: Trainable = {
  kernels: () => [],
  inBlocks: true,
  handsOver: true,
  tensors: ({ shape }) => fullTensors(shape),
  begin: (parts, _, take) => (take === undefined ? new FullGradients(parts) : new GradientsInPassing(parts, take)),
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

/** Hands over the gradients of a block when they are whole, and those of the embedding and the head chunk by chunk. */
class GradientsInPassing implements StepGradients {
  readonly vocabulary: VocabularySink;
  readonly #parts: EngineParts;
  readonly #take: TakeGradient;
  readonly #tensors: ReadonlyMap<string, TrainedTensor>;

  constructor(parts: EngineParts, take: TakeGradient) {
    this.#parts = parts;
    this.#take = take;
    this.#tensors = new Map(fullTensors(parts.shape).map((tensor) => [tensor.key, tensor]));
    const { hidden } = parts.shape;
    this.vocabulary = {
      chunk: (role, buffer, { first, count }) =>
        take({ tensor: this.#tensors.get(role)!, buffer, first: first * hidden, count: count * hidden }),
    };
  }

  sinkFor(place: number | 'finalNorm'): GradientSink {
    const sink = new BlockGradientBuffers(this.#parts);
    const key = (role: string): string => (place === 'finalNorm' ? role : blockKey(place, role));
    const finish = async (): Promise<void> => {
      for (const [role, { buffer, count }] of sink.gradients) {
        await this.#take({ tensor: this.#tensors.get(key(role))!, buffer, first: 0, count });
      }
      sink.release();
    };
    return Object.assign(sink, { finish });
  }

  gradients(): TrainedGradient[] {
    return [];
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
