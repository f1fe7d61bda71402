/** @file What a model is, as data. A pruned model is simply another ModelShape: nothing downstream knows of pruning. */
import type { RopeShape } from '../numerics/rope';

export type { RopeScaling, RopeShape } from '../numerics/rope';

/**
 * One transformer block that remains.
 *
 * `heads = 0` (then also `kvHeads = 0`) means the attention sub-block is removed: the residual stream passes it by.
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
  /** Projections of attention and MLP that add a bias; none when absent. */
  readonly biases?: readonly BiasRole[];
  /**
   * Queries and keys are normalized before they are rotated: over the channels of each head ('head') or over all
   * channels of a token ('all'); not normalized when absent.
   */
  readonly qkNorm?: 'head' | 'all';
  /** What the products of queries and keys are multiplied by; 1/√headDim when absent. */
  readonly attnScale?: number;
  /** Soft cap of the attention's scores: s becomes cap · tanh(s / cap) before the softmax; no cap when absent. */
  readonly scoreSoftcap?: number;
  /** The gate's activation: GELU by its tanh formula; SiLU when absent. */
  readonly activation?: 'gelu_tanh';
  /** Attention and MLP have a norm on their output ('post'), or on input and output ('both'); on the input when absent. */
  readonly normPlacement?: 'post' | 'both';
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
  /** What every norm adds to its stored weight w before it multiplies, 1 where w is kept around 0; nothing when absent. */
  readonly normOffset?: number;
  /** What the embedding is multiplied by before the first block; nothing when absent. The head does not see it. */
  readonly embedScale?: number;
  /** Soft cap of the logits: z becomes cap · tanh(z / cap); no cap when absent. */
  readonly logitSoftcap?: number;
}

/** A vector that a projection adds to its output. */
export type BiasRole =
  | 'qBias' // [heads·headDim]
  | 'kBias' // [kvHeads·headDim]
  | 'vBias' // [kvHeads·headDim]
  | 'oBias' // [hidden]
  | 'gateBias' // [ffn]
  | 'upBias' // [ffn]
  | 'downBias'; // [hidden]

/** A weight's role in a block or in the model. Hugging Face tensor names appear only in `model/`. */
export type LayerRole =
  | 'attnNorm' // [hidden]; unless `normPlacement` is 'post'
  | 'qProj' // [heads·headDim, hidden]
  | 'kProj' // [kvHeads·headDim, hidden]
  | 'vProj' // [kvHeads·headDim, hidden]
  | BiasRole // where the layer's `biases` name it
  | 'qNorm' // [headDim] or, with `qkNorm` 'all', [heads·headDim]; where the layer has `qkNorm`
  | 'kNorm' // [headDim] or, with `qkNorm` 'all', [kvHeads·headDim]; where the layer has `qkNorm`
  | 'oProj' // [hidden, heads·headDim]
  | 'postAttnNorm' // [hidden]; where the layer has `normPlacement`
  | 'mlpNorm' // [hidden]; unless `normPlacement` is 'post'
  | 'gateProj' // [ffn, hidden]
  | 'upProj' // [ffn, hidden]
  | 'downProj' // [hidden, ffn]
  | 'postMlpNorm'; // [hidden]; where the layer has `normPlacement`
export type ModelRole =
  | 'embed' // [vocab, hidden]
  | 'finalNorm' // [hidden]
  | 'lmHead'; // [vocab, hidden]; absent when the head is tied
export type Role = LayerRole | ModelRole;

/** Every role of an attention, in the order of the forward pass. */
const attentionOrder: readonly LayerRole[] = [
  ...(['attnNorm', 'qProj', 'qBias', 'kProj', 'kBias', 'vProj', 'vBias'] as const),
  ...(['qNorm', 'kNorm', 'oProj', 'oBias', 'postAttnNorm'] as const),
];

/** Every role of an MLP, in the order of the forward pass. */
const mlpOrder: readonly LayerRole[] = [
  ...(['mlpNorm', 'gateProj', 'gateBias', 'upProj', 'upBias'] as const),
  ...(['downProj', 'downBias', 'postMlpNorm'] as const),
];

/** Roles that the attention of a layer really has, in the order of the forward pass; none where it is gone. */
export function attentionRoles(layer: LayerShape): LayerRole[] {
  return layer.heads === 0 ? [] : attentionOrder.filter((role) => asksFor(layer, role));
}

/** Roles that the MLP of a layer really has, in the order of the forward pass; none where it is gone. */
export function mlpRoles(layer: LayerShape): LayerRole[] {
  return layer.ffn === 0 ? [] : mlpOrder.filter((role) => asksFor(layer, role));
}

/** Whether a layer has this weight, if it has the sub-block. */
function asksFor({ biases = [], qkNorm, normPlacement }: LayerShape, role: LayerRole): boolean {
  if (isBias(role)) return biases.includes(role);
  switch (role) {
    case 'attnNorm':
    case 'mlpNorm':
      return normPlacement !== 'post';
    case 'postAttnNorm':
    case 'postMlpNorm':
      return normPlacement !== undefined;
    case 'qNorm':
    case 'kNorm':
      return qkNorm !== undefined;
    default:
      return true;
  }
}

/** Roles that a layer really has: none of a removed sub-block. */
export function layerRoles(layer: LayerShape): LayerRole[] {
  return [...attentionRoles(layer), ...mlpRoles(layer)];
}

/** The projections of a block, in the order of the forward pass. */
export const projectionRoles = ['qProj', 'kProj', 'vProj', 'oProj', 'gateProj', 'upProj', 'downProj'] as const;
export type ProjectionRole = (typeof projectionRoles)[number];

/** Biases of the attention's projections. */
export type AttentionBiasRole = 'qBias' | 'kBias' | 'vBias' | 'oBias';
/** Biases of the MLP's projections. */
export type MlpBiasRole = Exclude<BiasRole, AttentionBiasRole>;

export function isAttentionBias(role: Role): role is AttentionBiasRole {
  return role === 'qBias' || role === 'kBias' || role === 'vBias' || role === 'oBias';
}

/** All biases of an MLP, in the order of the forward pass. */
export const mlpBiasRoles: readonly MlpBiasRole[] = ['gateBias', 'upBias', 'downBias'];

export function isMlpBias(role: Role): role is MlpBiasRole {
  return mlpBiasRoles.some((each) => each === role);
}

/** Whether a role is a vector that a projection adds to its output. */
export function isBias(role: Role): role is BiasRole {
  return isAttentionBias(role) || isMlpBias(role);
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
    case 'postAttnNorm':
    case 'mlpNorm':
    case 'postMlpNorm':
    case 'oBias':
    case 'downBias':
      return [hidden];
    case 'gateBias':
    case 'upBias':
      return [layer.ffn];
    case 'qNorm':
      return [layer.qkNorm === 'all' ? q : layer.headDim];
    case 'kNorm':
      return [layer.qkNorm === 'all' ? kv : layer.headDim];
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
