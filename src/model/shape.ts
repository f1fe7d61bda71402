/** @file What a model is, as data. A pruned model is simply another ModelShape: nothing downstream knows of pruning. */

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
}

/** A LLaMA-family decoder. All sizes in elements. */
export interface ModelShape {
  /** `model_type` of the configuration, e.g. 'llama'. */
  readonly family: string;
  readonly vocab: number;
  readonly hidden: number;
  readonly layers: readonly LayerShape[];
  readonly normEps: number;
  readonly ropeTheta: number;
  /** Longest context that the model was made for, in tokens. */
  readonly maxPositions: number;
  /** The head reuses the embedding matrix. */
  readonly tiedHead: boolean;
}

/** A weight's role in a block or in the model. Hugging Face tensor names appear only in `model/`. */
export type LayerRole =
  | 'attnNorm' // [hidden]
  | 'qProj' // [heads·headDim, hidden]
  | 'kProj' // [kvHeads·headDim, hidden]
  | 'vProj' // [kvHeads·headDim, hidden]
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

export const attentionRoles: readonly LayerRole[] = ['attnNorm', 'qProj', 'kProj', 'vProj', 'oProj'];
export const mlpRoles: readonly LayerRole[] = ['mlpNorm', 'gateProj', 'upProj', 'downProj'];

/** Roles that a layer really has: none of a sub-block that is gone. */
export function layerRoles(layer: LayerShape): LayerRole[] {
  return [...(layer.heads > 0 ? attentionRoles : []), ...(layer.ffn > 0 ? mlpRoles : [])];
}

/** Roles outside the blocks. */
export function modelRoles(shape: ModelShape): ModelRole[] {
  return shape.tiedHead ? ['embed', 'finalNorm'] : ['embed', 'finalNorm', 'lmHead'];
}

/** Dimensions of a block's weight, as stored: `[out, in]` for a projection, `[hidden]` for a norm. */
export function layerWeightDims(shape: ModelShape, layer: LayerShape, role: LayerRole): number[] {
  const { hidden } = shape;
  const q = layer.heads * layer.headDim;
  const kv = layer.kvHeads * layer.headDim;
  switch (role) {
    case 'attnNorm':
    case 'mlpNorm':
      return [hidden];
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
