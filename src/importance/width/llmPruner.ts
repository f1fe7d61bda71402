/** @file LLM-Pruner: Σ|W ⊙ ∂L/∂W| over all weights that are removed together with a head or neuron. */
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { LayerRole, LayerShape } from '../../model/shape';
import type { StructureScores, WidthMethod } from '../method';
import { sumRuns } from './width';

/** The channels of a role; complete where the Taylor pass was asked for them. */
function channelsOf({ channels }: TaylorLayer, role: LayerRole): Float32Array {
  const found = channels?.[role];
  if (found === undefined) throw new RangeError(`llmPruner: expected channels of ${role}, got none`);
  return found;
}

/** A key/value head is removed with its query heads: their rows of q, k and v, their columns of o. */
function groupScores(layer: TaylorLayer, { heads, kvHeads, headDim }: LayerShape): number[] {
  if (heads === 0) return [];
  const queries = (heads / kvHeads) * headDim;
  const sizes = { qProj: queries, kProj: headDim, vProj: headDim, oProj: queries } as const;
  const parts = (Object.keys(sizes) as (keyof typeof sizes)[]).map((role) =>
    sumRuns(channelsOf(layer, role), sizes[role]),
  );
  return Array.from({ length: kvHeads }, (_, group) => parts.reduce((sum, part) => sum + part[group]!, 0));
}

/** A neuron's rows of gate and up, its column of down. */
function neuronScores(layer: TaylorLayer, { ffn }: LayerShape): number[] {
  if (ffn === 0) return [];
  const parts = (['gateProj', 'upProj', 'downProj'] as const).map((role) => channelsOf(layer, role));
  return Array.from({ length: ffn }, (_, neuron) => parts.reduce((sum, part) => sum + part[neuron]!, 0));
}

export function llmPrunerScores(layers: readonly TaylorLayer[], shapes: readonly LayerShape[]): StructureScores {
  return {
    heads: layers.map((layer, index) => groupScores(layer, shapes[index]!)),
    neurons: layers.map((layer, index) => neuronScores(layer, shapes[index]!)),
  };
}

const llmPruner: WidthMethod = {
  async score({ probe, shape, sequences, signal, onProgress }) {
    const { layers } = await probe!.taylor(sequences, { signal, onProgress, channels: true });
    return llmPrunerScores(layers, shape.layers);
  },
  fromCombinedPass: ({ taylor }, layers) => llmPrunerScores(taylor.layers, layers),
};

export default llmPruner;
