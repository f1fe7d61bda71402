/**
 * @file Taylor importance: Σ|W ⊙ ∂L/∂W| of every block, for the mean loss over all predicted tokens of all sequences.
 *
 * The sums are a sink of the backward pass (`pass/backwardPass.ts`), which adds up each gradient over the whole calibration set before
 * the sink takes |·|.
 */

import { attentionRoles, isBias, type LayerRole, type LayerShape, mlpRoles } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { backwardBatchRows, backwardPass } from '../pass/backwardPass';
import type { ForwardHook } from '../pass/forwardHook';
import type { EngineParts } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';
import type { VocabularyRole } from '../pass/vocabularyBackward';
import { type Salience, SalienceSink, salienceKernels } from './salience';
import { VocabularySalience } from './vocabularySalience';

export interface TaylorOptions extends TaskOptions {
  /** Memory for activations that the backward pass then need not recompute, bytes; 0 unless given. */
  readonly keepBytes?: number | undefined;
  /** Measure the embedding and the head too, at the cost of some further matmuls with the head. */
  readonly vocabulary?: boolean | undefined;
  /** The sums of each channel too, of which the structures of width pruning are made. */
  readonly channels?: boolean | undefined;
}

export interface TaylorLayer {
  /** Projections and norms of the attention, never its biases; 0 where the layer has none. */
  readonly attention: number;
  /** Projections and norm of the MLP; 0 where the layer has none. */
  readonly mlp: number;
  readonly total: number;
  /** Σ|W ⊙ ∂L/∂W| of every projection and norm that the layer has. */
  readonly roles: Partial<Record<LayerRole, number>>;
  /** ‖∂L/∂W‖ of every projection and norm that the layer has. */
  readonly gradientNorms: Partial<Record<LayerRole, number>>;
  /** Σ|W ⊙ ∂L/∂W| of each row of a projection, of oProj and downProj of each column; where `channels` asked for them. */
  readonly channels?: Partial<Record<LayerRole, Float32Array>>;
}

export interface Taylor {
  /** One per layer of the base. */
  readonly layers: TaylorLayer[];
  /** ‖∂L/∂W‖ of the final norm. */
  readonly finalNormGradient: number;
  /** Of the embedding and the head, where they were asked for; a tied head's is the embedding's. */
  readonly vocabulary: Partial<Record<VocabularyRole, Salience>>;
}

/** Taylor saliences and gradient norms of every block of the base; `hooks` see its forward pass. */
export async function taylor(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaylorOptions,
  { stage = 'taylor', hooks = [] }: { stage?: string; hooks?: readonly ForwardHook[] } = {},
): Promise<Taylor> {
  const { signal, onProgress, keepBytes, channels = false } = options;
  const batches = makeBatches(sequences, backwardBatchRows(parts));
  const sinks = new Map<number | 'finalNorm', SalienceSink>();
  const vocabulary = new VocabularySalience(parts);
  await backwardPass(parts, batches, {
    ...{ signal, onProgress, keepBytes, stage, hooks },
    kernels: salienceKernels(parts, channels),
    sinkFor(place) {
      const sink = new SalienceSink(parts, batches.length, channels && place !== 'finalNorm');
      sinks.set(place, sink);
      return sink;
    },
    vocabulary: options.vocabulary ? vocabulary : undefined,
  });
  return {
    layers: parts.shape.layers.map((layer, index) => summarize(layer, sinks.get(index)!.found)),
    finalNormGradient: sinks.get('finalNorm')!.found.get('finalNorm')!.gradientNorm,
    vocabulary: vocabulary.read(),
  };
}

function summarize(layer: LayerShape, found: ReadonlyMap<string, Salience>): TaylorLayer {
  const roles: Partial<Record<LayerRole, number>> = {};
  const gradientNorms: Partial<Record<LayerRole, number>> = {};
  const channels: Partial<Record<LayerRole, Float32Array>> = {};
  const sumOf = (names: readonly LayerRole[]): number =>
    names.reduce((sum, role) => {
      const one = found.get(role);
      if (one === undefined) return sum;
      roles[role] = one.salience;
      gradientNorms[role] = one.gradientNorm;
      if (one.channels !== undefined) channels[role] = one.channels;
      return isBias(role) ? sum : sum + one.salience;
    }, 0);
  const [attention, mlp] = [sumOf(attentionRoles(layer)), sumOf(mlpRoles(layer))];
  const wanted = Object.keys(channels).length > 0 ? { channels } : {};
  return { attention, mlp, total: attention + mlp, roles, gradientNorms, ...wanted };
}
