/** @file The tensors of a GGUF file with the place that each is made from: the names, orders and types that llama.cpp reads. */
import {
  attentionRoles,
  type LayerRole,
  layerWeightDims,
  type ModelShape,
  mlpRoles,
  modelWeightDims,
} from '../../model/shape';
import type { TensorRef, WeightSource } from '../../model/weights';
import { inverseFrequencies } from '../../numerics/rope';
import { blockWeights, type TensorInfo, type TensorType } from './container';
import type { Affine } from './encode';
import type { GgufBlock, GgufLayout } from './layout';

/** What a tensor is made from. */
export type Content =
  | {
      readonly kind: 'stored';
      readonly ref: TensorRef;
      /** Channels of a head whose rows go from half-split to neighbouring pairs; absent where rows keep their order. */
      readonly interleaved?: number;
      readonly affine: Affine | null;
    }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'values'; readonly values: Float32Array<ArrayBuffer> };

export interface GgufTensor extends TensorInfo {
  readonly content: Content;
}

/** llama.cpp's name of a role within its block. */
const names: Readonly<Record<LayerRole, string>> = {
  attnNorm: 'attn_norm.weight',
  qProj: 'attn_q.weight',
  kProj: 'attn_k.weight',
  vProj: 'attn_v.weight',
  qBias: 'attn_q.bias',
  kBias: 'attn_k.bias',
  vBias: 'attn_v.bias',
  qNorm: 'attn_q_norm.weight',
  kNorm: 'attn_k_norm.weight',
  oProj: 'attn_output.weight',
  oBias: 'attn_output.bias',
  postAttnNorm: 'post_attention_norm.weight',
  mlpNorm: 'ffn_norm.weight',
  gateProj: 'ffn_gate.weight',
  upProj: 'ffn_up.weight',
  downProj: 'ffn_down.weight',
  gateBias: 'ffn_gate.bias',
  upBias: 'ffn_up.bias',
  downBias: 'ffn_down.bias',
  postMlpNorm: 'post_ffw_norm.weight',
};

/** Roles whose rows the rotary embedding pairs. */
const rotated: readonly LayerRole[] = ['qProj', 'kProj', 'qBias', 'kBias'];
const queries: readonly LayerRole[] = ['qProj', 'qBias'];

/** Every tensor of the file, in its order. Matrices have the wanted type where it fits, vectors are F32. */
export function ggufTensors(
  shape: ModelShape,
  layout: GgufLayout,
  weights: WeightSource,
  type: TensorType,
): readonly GgufTensor[] {
  const tensor = (name: string, dims: readonly number[], content: Content): GgufTensor => ({
    ...{ name, dims, content },
    type: matrixType(dims, type),
  });
  const stored = (ref: TensorRef, affine: Affine | null = null, interleaved?: number): Content => ({
    ...{ kind: 'stored', ref, affine },
    ...(interleaved !== undefined && { interleaved }),
  });
  const { rope } = layout;
  const offset = shape.normOffset ?? 0;
  const norm: Affine | null = offset === 0 ? null : { scale: 1, offset };
  // YaRN lengthens queries and keys by a factor m; scores grow by m², which the queries alone can carry.
  const longer = layout.interleaved && rope.scaling?.kind === 'yarn' ? rope.scaling.attentionFactor ** 2 : 1;
  const affineOf = (role: LayerRole): Affine | null => {
    if (role.endsWith('Norm')) return norm;
    return queries.includes(role) && longer !== 1 ? { scale: longer, offset: 0 } : null;
  };

  const block = ({ layer, attention, mlp, ffn }: GgufBlock, index: number): GgufTensor[] => {
    const place = (role: LayerRole): string => `blk.${index}.${names[role]}`;
    const own = (role: LayerRole): GgufTensor => {
      const pairs = layout.interleaved && rotated.includes(role) ? layer.headDim : undefined;
      const content = stored(weights.layerTensor(role, layer.source), affineOf(role), pairs);
      return tensor(place(role), layerWeightDims(shape, layer, role), content);
    };
    const filled = (role: LayerRole, dims: number[], value: number): GgufTensor =>
      tensor(place(role), dims, { kind: 'constant', value });
    const { hidden } = shape;
    const zero = (roles: readonly LayerRole[], dims: number[]): GgufTensor[] =>
      roles.map((role) => filled(role, dims, 0));
    const attentions: Readonly<Record<GgufBlock['attention'], () => GgufTensor[]>> = {
      kept: () => attentionRoles(layer).map(own),
      zero: () => [
        filled('attnNorm', [hidden], 1),
        ...zero(['qProj', 'kProj', 'vProj'], [layout.headDim, hidden]),
        ...zero(['oProj'], [hidden, layout.headDim]),
      ],
      none: () => [],
    };
    const mlps: Readonly<Record<GgufBlock['mlp'], () => GgufTensor[]>> = {
      kept: () => mlpRoles(layer).map(own),
      zero: () => [
        filled('mlpNorm', [hidden], 1),
        ...zero(['gateProj', 'upProj'], [ffn, hidden]),
        ...zero(['downProj'], [hidden, ffn]),
      ],
    };
    return [...attentions[attention](), ...mlps[mlp]()];
  };

  const table = modelWeightDims(shape, 'embed');
  const embedding = stored(weights.modelTensor('embed'));
  const head = shape.tiedHead ? embedding : stored(weights.modelTensor('lmHead'));
  const frequencies = layout.interleaved ? frequencyFactors(layout) : null;
  return [
    tensor('token_embd.weight', table, embedding),
    ...(frequencies === null
      ? []
      : [tensor('rope_freqs.weight', [frequencies.length], { kind: 'values', values: frequencies })]),
    ...layout.blocks.flatMap(block),
    tensor('output_norm.weight', [shape.hidden], stored(weights.modelTensor('finalNorm'), norm)),
    ...(shape.tiedHead && !layout.needsHead ? [] : [tensor('output.weight', table, head)]),
  ];
}

/** Vectors are F32, and so is everything in an F32 file. Rows that no blocks of 32 fill stay F16, as llama.cpp's quantizer does. */
function matrixType(dims: readonly number[], wanted: TensorType): TensorType {
  if (dims.length === 1) return 'F32';
  return wanted === 'Q8_0' && dims[1]! % blockWeights !== 0 ? 'F16' : wanted;
}

/** What llama.cpp divides each pair's frequency by, [headDim/2]; null where keys of the header say all. */
function frequencyFactors({ rope, headDim }: GgufLayout): Float32Array<ArrayBuffer> | null {
  if (rope.scaling === undefined || rope.scaling.kind === 'linear') return null;
  const plain = inverseFrequencies({ theta: rope.theta }, headDim);
  const scaled = inverseFrequencies(rope, headDim);
  return Float32Array.from(plain, (frequency, pair) => frequency / scaled[pair]!);
}

/** Matrices that a Q8_0 file holds as F16, since their rows are no multiples of 32. */
export function unquantized(shape: ModelShape, { blocks, headDim }: GgufLayout): number {
  const inner = (width: number): number => (width % blockWeights === 0 ? 0 : 1);
  const perBlock = blocks.map(({ attention, heads, ffn }) => {
    const reading = attention === 'none' ? 2 : 5;
    const output = attention === 'none' ? 0 : inner(heads * headDim);
    return (shape.hidden % blockWeights === 0 ? 0 : reading) + output + inner(ffn);
  });
  const outside = shape.hidden % blockWeights === 0 ? 0 : shape.tiedHead ? 1 : 2;
  return perBlock.reduce((sum, count) => sum + count, outside);
}
