/**
 * @file How the weights of a block lie on the GPU, known before any of them is there.
 *
 * Projections that read the same input lie behind one another in one matrix (q, k, v; gate, up), so that one launch serves
 * them. Weights keep their stored type; norms are float32.
 */
import { type LayerRole, type LayerShape, layerRoles, layerWeightDims, type ModelShape } from '../model/shape';
import { bytesPerElement, type StoredDtype, type WeightSource } from '../model/weights';
import { roundUp } from './buffers';

/** A matrix [rows, inner] of the given type. */
export interface MatrixLayout {
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
}

/** One buffer of a block: the weights of some roles behind one another. A norm is a matrix of one row. */
export interface PartLayout extends MatrixLayout {
  readonly roles: readonly LayerRole[];
  /** Padded with zeros to 16. */
  readonly bytes: number;
}

/** All buffers of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockLayout {
  readonly shape: LayerShape;
  /** qkv [(heads + 2·kvHeads)·headDim, hidden], out [hidden, heads·headDim] */
  readonly attention: Readonly<Record<'norm' | 'qkv' | 'out', PartLayout>> | null;
  /** gateUp [2·ffn, hidden], down [hidden, ffn] */
  readonly mlp: Readonly<Record<'norm' | 'gateUp' | 'down', PartLayout>> | null;
  readonly parts: readonly PartLayout[];
  /** Of all parts. */
  readonly bytes: number;
  /** Equal for blocks whose parts have the same sizes: one may take the buffers of the other. */
  readonly key: string;
}

/** The layout of a layer's block in the checkpoint. */
export function blockLayout(shape: ModelShape, layer: LayerShape, weights: WeightSource): BlockLayout {
  const roles = new Set(layerRoles(layer));
  const part = (...names: readonly LayerRole[]): PartLayout => {
    const dims = names.map((role) => layerWeightDims(shape, layer, role));
    const inner = dims[0]!.at(-1)!;
    const rows = dims.reduce((sum, each) => sum + (each.length === 1 ? 1 : each[0]!), 0);
    const dtype = dims[0]!.length === 1 ? 'F32' : commonDtype(names.map((role) => dtypeOf(weights, role, layer)));
    return { roles: names, dtype, rows, inner, bytes: roundUp(rows * inner * bytesPerElement[dtype], 16) };
  };
  const attention = roles.has('qProj')
    ? { norm: part('attnNorm'), qkv: part('qProj', 'kProj', 'vProj'), out: part('oProj') }
    : null;
  const mlp = roles.has('upProj')
    ? { norm: part('mlpNorm'), gateUp: part('gateProj', 'upProj'), down: part('downProj') }
    : null;
  const parts = [...Object.values(attention ?? {}), ...Object.values(mlp ?? {})];
  return {
    shape: layer,
    attention,
    mlp,
    parts,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    key: parts.map(({ roles: names, bytes }) => `${names.join('+')} ${bytes}`).join(', '),
  };
}

const dtypeOf = (weights: WeightSource, role: LayerRole, layer: LayerShape): StoredDtype =>
  weights.layerTensor(role, layer.source).dtype;

/** What different types become when they lie in one matrix. */
function commonDtype(dtypes: readonly StoredDtype[]): StoredDtype {
  return dtypes.every((dtype) => dtype === dtypes[0]) ? dtypes[0]! : 'F32';
}
