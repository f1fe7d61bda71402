/**
 * @file How the weights of a block lie on the GPU, known before any of them is there.
 *
 * Projections that read the same input lie behind one another in one matrix (q, k, v; gate, up), so that one launch serves
 * them. Weights keep their stored type; norms and biases are float32.
 */
import {
  type BiasRole,
  type LayerRole,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
} from '../model/shape';
import { bytesPerElement, type StoredDtype, type WeightSource } from '../model/weights';
import { roundUp } from './buffers';

/** A matrix [rows, inner] of the given type. */
export interface MatrixLayout {
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
}

/** One buffer of a block: the weights of some roles behind one another. Vectors are a matrix of one row. */
export interface PartLayout extends MatrixLayout {
  readonly roles: readonly LayerRole[];
  /** Padded with zeros to 16. */
  readonly bytes: number;
}

/** Parts that only some families have are null where the layer lacks them. */
export interface AttentionLayout {
  readonly norm: PartLayout;
  /** [(heads + 2·kvHeads)·headDim, hidden] */
  readonly qkv: PartLayout;
  /** The biases that the layer has of q, k and v, as `biasRuns` says. */
  readonly qkvBias: PartLayout | null;
  /** Norms of the heads: [headDim] of queries, [headDim] of keys. */
  readonly headNorms: PartLayout | null;
  /** [hidden, heads·headDim] */
  readonly out: PartLayout;
  /** [hidden] */
  readonly outBias: PartLayout | null;
}

/** All buffers of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockLayout {
  readonly shape: LayerShape;
  readonly attention: AttentionLayout | null;
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
    const vectors = dims[0]!.length === 1;
    const total = dims.reduce((sum, each) => sum + each[0]!, 0);
    const [rows, inner] = vectors ? [1, total] : [total, dims[0]![1]!];
    const dtype = vectors ? 'F32' : commonDtype(names.map((role) => dtypeOf(weights, role, layer)));
    return { roles: names, dtype, rows, inner, bytes: roundUp(rows * inner * bytesPerElement[dtype], 16) };
  };
  const those = (...names: readonly LayerRole[]): PartLayout | null => {
    const found = names.filter((role) => roles.has(role));
    return found.length === 0 ? null : part(...found);
  };
  const attention = roles.has('qProj')
    ? {
        norm: part('attnNorm'),
        qkv: part('qProj', 'kProj', 'vProj'),
        qkvBias: those('qBias', 'kBias', 'vBias'),
        headNorms: those('qNorm', 'kNorm'),
        out: part('oProj'),
        outBias: those('oBias'),
      }
    : null;
  const mlp = roles.has('upProj')
    ? { norm: part('mlpNorm'), gateUp: part('gateProj', 'upProj'), down: part('downProj') }
    : null;
  const parts = [...Object.values(attention ?? {}), ...Object.values(mlp ?? {})].filter((each) => each !== null);
  return {
    shape: layer,
    attention,
    mlp,
    parts,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    key: parts.map(({ roles: names, bytes }) => `${names.join('+')} ${bytes}`).join(', '),
  };
}

/** Columns of q, k and v behind one another that have a bias. */
export interface BiasRun {
  /** First column, and how many. */
  readonly first: number;
  readonly count: number;
  /** Where their biases begin in the layer's `qkvBias`. */
  readonly biasFirst: number;
}

/** As few runs as there are: one where q, k and v all have a bias. */
export function biasRuns({ heads, kvHeads, headDim, biases = [] }: LayerShape): BiasRun[] {
  const runs: BiasRun[] = [];
  let first = 0;
  let biasFirst = 0;
  const columns = [
    ['qBias', heads * headDim],
    ['kBias', kvHeads * headDim],
    ['vBias', kvHeads * headDim],
  ] as const satisfies readonly (readonly [BiasRole, number])[];
  for (const [role, count] of columns) {
    if (biases.includes(role)) {
      const last = runs.at(-1);
      if (last !== undefined && last.first + last.count === first) {
        runs[runs.length - 1] = { ...last, count: last.count + count };
      } else {
        runs.push({ first, count, biasFirst });
      }
      biasFirst += count;
    }
    first += count;
  }
  return runs;
}

const dtypeOf = (weights: WeightSource, role: LayerRole, layer: LayerShape): StoredDtype =>
  weights.layerTensor(role, layer.source).dtype;

/** What different types become when they lie in one matrix. */
function commonDtype(dtypes: readonly StoredDtype[]): StoredDtype {
  return dtypes.every((dtype) => dtype === dtypes[0]) ? dtypes[0]! : 'F32';
}
