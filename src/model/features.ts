/** @file What a model may ask for beyond LLaMA's plain block, and the refusal by a room that does not compute it. */
import { LabError } from '../errors';
import { isAttentionBias, isMlpBias, type LayerShape, type ModelShape } from './shape';

interface FeatureRecord {
  /** As in a message: 'this model has …'. */
  readonly label: string;
  /** The layers that have it. */
  readonly layer?: (layer: LayerShape) => boolean;
  /** Whether the model has it as a whole. */
  readonly model?: (shape: ModelShape) => boolean;
}

/** A feature of the attention; a removed attention needs none. */
function ofAttention(label: string, has: (layer: LayerShape) => boolean): FeatureRecord {
  return { label, layer: (layer) => layer.heads > 0 && has(layer) };
}

const features = {
  window: ofAttention('a sliding window', ({ window }) => window !== undefined),
  biases: ofAttention('biases of the attention', ({ biases = [] }) => biases.some(isAttentionBias)),
  mlpBiases: { label: 'biases of the MLP', layer: ({ ffn, biases = [] }) => ffn > 0 && biases.some(isMlpBias) },
  qkNorm: ofAttention('norms of queries and keys by head', ({ qkNorm }) => qkNorm === 'head'),
  qkNormAll: ofAttention('norms of queries and keys over all heads', ({ qkNorm }) => qkNorm === 'all'),
  attnScale: ofAttention('a scale of its own for attention scores', ({ attnScale }) => attnScale !== undefined),
  scoreSoftcap: ofAttention('a soft cap of attention scores', ({ scoreSoftcap }) => scoreSoftcap !== undefined),
  activation: { label: 'GELU in the MLP', layer: ({ ffn, activation }) => ffn > 0 && activation !== undefined },
  normPlacement: {
    label: 'norms after attention and MLP',
    layer: ({ heads, ffn, normPlacement }) => heads + ffn > 0 && normPlacement !== undefined,
  },
  normOffset: { label: 'norm weights stored minus 1', model: ({ normOffset }) => normOffset !== undefined },
  embedScale: { label: 'a scaled embedding', model: ({ embedScale }) => embedScale !== undefined },
  logitSoftcap: { label: 'a soft cap of the logits', model: ({ logitSoftcap }) => logitSoftcap !== undefined },
} satisfies Record<string, FeatureRecord>;

export type Feature = keyof typeof features;

/** Throws 'unsupported-architecture' if a model has a feature that `who` lacks: a wrong number is worse than none. */
export function refuseFeatures(shape: ModelShape, lacking: readonly Feature[], who: string): void {
  for (const feature of lacking) {
    const { label, layer: inLayer, model }: FeatureRecord = features[feature];
    const block = inLayer && shape.layers.find(inLayer);
    if (block === undefined && !model?.(shape)) continue;
    const where =
      block === undefined ? `This ${shape.family} model` : `Block ${block.source} of this ${shape.family} model`;
    throw new LabError(
      'unsupported-architecture',
      `${where} has ${label}, which ${who} does not compute.`,
      'Choose a model without this feature.',
    );
  }
}
