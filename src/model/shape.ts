/** @file What a model is, as data. A pruned model is simply another ModelShape: nothing downstream knows of pruning. */
import type { RopeShape } from '../numerics/rope';

export type { RopeScaling, RopeShape } from '../numerics/rope';

/**
 * One transformer block that remains.
 *
 * `heads = 0` (then also `kvHeads = 0`) means the attention sub-block is gone: the residual stream passes it by.
 * `ffn = 0` means the same for the MLP. What differs between layers of one model is part of the layer's shape.
 */
export interface LayerShape {
  /** Index of this block in the checkpoint that the weights come from. */
  readonly source: number;
  /** Query heads. */
  readonly heads: number;
  /** Key/value heads; divides `heads`. */
  readonly kvHeads: number;
  /** Channels per head; even, because of the rotary embedding. */
  readonly headDim: number;
  /** MLP neurons. */
  readonly ffn: number;
  /** Tokens that a query sees, itself included: key j is visible to query i where i − window < j ≤ i; all j ≤ i when absent. */
  readonly window?: number;
  /** The rotary embedding; the plain one with the model's `ropeTheta` when absent. */
  readonly rope?: RopeShape;
  /** Projections of the attention that add a bias; none when absent. */
  readonly biases?: readonly BiasRole[];
  /** 'head': queries and keys are normed over the channels of each head, before they are turned; not normed when absent. */
  readonly qkNorm?: 'head';
}

/** A LLaMA-family decoder. All sizes in elements. */
export interface ModelShape {
  /** `model_type` of the configuration, e.g. 'llama'. */
  readonly family: string;
  readonly vocab: number;
  readonly hidden: number;
  readonly layers: readonly LayerShape[];
  readonly normEps: number;
  /** θ of the layers that name no rotary embedding of their own. */
  readonly ropeTheta: number;
  /** Longest context that the model was made for, in tokens. */
  readonly maxPositions: number;
  /** The head reuses the embedding matrix. */
  readonly tiedHead: boolean;
}

/** A vector that a projection adds to its output. */
export type BiasRole =
  | 'qBias' // [heads·headDim]
  | 'kBias' // [kvHeads·headDim]
  | 'vBias' // [kvHeads·headDim]
  | 'oBias'; // [hidden]

/** A weight's role in a block or in the model. Hugging Face tensor names appear only in `model/`. */
export type LayerRole =
  | 'attnNorm' // [hidden]
  | 'qProj' // [heads·headDim, hidden]
  | 'kProj' // [kvHeads·headDim, hidden]
  | 'vProj' // [kvHeads·headDim, hidden]
  | BiasRole // where the layer's `biases` name it
  | 'qNorm' // [headDim]; where the layer has `qkNorm`
  | 'kNorm' // [headDim]; where the layer has `qkNorm`
  | 'oProj' // [hidden, heads·headDim]
  | 'mlpNorm' // [hidden]
  | 'gateProj' // [ffn, hidden]
  | 'upProj' // [ffn, hidden]
  | 'downProj'; // [hidden, ffn]
export type ModelRole =
  | 'embed' // [vocab, hidden]
  | 'finalNorm' // [hidden]
  | 'lmHead'; // [vocab, hidden]; absent when the head is tied
export type Role = LayerRole | ModelRole;

/** Every role of an attention, in the order of the forward pass. */
const attentionOrder: readonly LayerRole[] = [
  ...(['attnNorm', 'qProj', 'qBias', 'kProj', 'kBias', 'vProj', 'vBias'] as const),
  ...(['qNorm', 'kNorm', 'oProj', 'oBias'] as const),
];

/** Roles that the attention of a layer really has, in the order of the forward pass; none where it is gone. */
export function attentionRoles({ heads, biases = [], qkNorm }: LayerShape): LayerRole[] {
  if (heads === 0) return [];
  return attentionOrder.filter((role) => {
    if (isBias(role)) return biases.includes(role);
    return qkNorm !== undefined || (role !== 'qNorm' && role !== 'kNorm');
  });
}

/** Roles that the MLP of a layer really has; none where it is gone. */
export function mlpRoles({ ffn }: LayerShape): LayerRole[] {
  return ffn === 0 ? [] : ['mlpNorm', 'gateProj', 'upProj', 'downProj'];
}

/** Roles that a layer really has: none of a sub-block that is gone. */
export function layerRoles(layer: LayerShape): LayerRole[] {
  return [...attentionRoles(layer), ...mlpRoles(layer)];
}

export function isBias(role: Role): role is BiasRole {
  return role === 'qBias' || role === 'kBias' || role === 'vBias' || role === 'oBias';
}

/** The layer's roles that Taylor and magnitude count: projections and norms, never biases. */
export function scoredRoles(layer: LayerShape): LayerRole[] {
  return layerRoles(layer).filter((role) => !isBias(role));
}

/** The rotary embedding of a layer. */
export function ropeOf(shape: Pick<ModelShape, 'ropeTheta'>, layer: Pick<LayerShape, 'rope'>): RopeShape {
  return layer.rope ?? { theta: shape.ropeTheta };
}

/** Roles outside the blocks. */
export function modelRoles(shape: ModelShape): ModelRole[] {
  return shape.tiedHead ? ['embed', 'finalNorm'] : ['embed', 'finalNorm', 'lmHead'];
}

/** Dimensions of a block's weight, as stored: `[out, in]` for a projection, one for a norm or a bias. */
export function layerWeightDims(shape: ModelShape, layer: LayerShape, role: LayerRole): number[] {
  const { hidden } = shape;
  const q = layer.heads * layer.headDim;
  const kv = layer.kvHeads * layer.headDim;
  switch (role) {
    case 'attnNorm':
    case 'mlpNorm':
    case 'oBias':
      return [hidden];
    case 'qNorm':
    case 'kNorm':
      return [layer.headDim];
    case 'qBias':
      return [q];
    case 'kBias':
    case 'vBias':
      return [kv];
    case 'qProj':
      return [q, hidden];
    case 'kProj':
    case 'vProj':
      return [kv, hidden];
    case 'oProj':
      return [hidden, q];
    case 'gateProj':
    case 'upProj':
      return [layer.ffn, hidden];
    case 'downProj':
      return [hidden, layer.ffn];
    default:
      return role satisfies never;
  }
}

/** Dimensions of a weight outside the blocks. */
export function modelWeightDims(shape: ModelShape, role: ModelRole): number[] {
  return role === 'finalNorm' ? [shape.hidden] : [shape.vocab, shape.hidden];
}
