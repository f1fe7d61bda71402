/**
 * @file How a block's weights are laid out on the GPU, computed before any of them is uploaded.
 *
 * Projections that read the same input are stacked in one matrix (q, k, v; gate, up), so that one launch computes them. Weights keep their stored type; norms and biases are float32.
 */
import {
  type BiasRole,
  type LayerRole,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
} from '../../model/shape';
import { bytesPerElement, type StoredDtype, type WeightSource } from '../../model/weights';
import { roundUp } from '../gpu/buffers';

/** A matrix [rows, inner] of the given type. */
export interface MatrixLayout {
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
}

/** One buffer of a block: the weights of some roles, one after the other. Vectors are a matrix of one row. */
export interface PartLayout extends MatrixLayout {
  readonly roles: readonly LayerRole[];
  /** Padded with zeros to 16. */
  readonly bytes: number;
}

/** The biases of a matrix, for the columns of its output that have one. */
export interface BiasLayout extends PartLayout {
  readonly runs: readonly BiasRun[];
}

/** Parts that only some families have are null where the layer lacks them. */
export interface AttentionLayout {
  /** Of the input: [hidden]. */
  readonly norm: PartLayout | null;
  /** [(heads + 2·kvHeads)·headDim, hidden] */
  readonly qkv: PartLayout;
  /** The biases that the layer has of q, k and v. */
  readonly qkvBias: BiasLayout | null;
  /** The norm of queries, then the norm of keys: as long as `normGroups` says. */
  readonly headNorms: PartLayout | null;
  /** [hidden, heads·headDim] */
  readonly out: PartLayout;
  /** [hidden] */
  readonly outBias: BiasLayout | null;
  /** Of the output: [hidden]. */
  readonly postNorm: PartLayout | null;
}

export interface MlpLayout {
  /** Of the input: [hidden]. */
  readonly norm: PartLayout | null;
  /** [2·ffn, hidden] */
  readonly gateUp: PartLayout;
  /** The biases that the layer has of gate and up. */
  readonly gateUpBias: BiasLayout | null;
  /** [hidden, ffn] */
  readonly down: PartLayout;
  /** [hidden] */
  readonly downBias: BiasLayout | null;
  /** Of the output: [hidden]. */
  readonly postNorm: PartLayout | null;
}

/** All buffers of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockLayout {
  readonly shape: LayerShape;
  readonly attention: AttentionLayout | null;
  readonly mlp: MlpLayout | null;
  readonly parts: readonly PartLayout[];
  /** Of all parts. */
  readonly bytes: number;
  /** Equal for blocks whose parts have the same sizes: one block can use the buffers of the other. */
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
  const biases = (...names: readonly BiasRole[]): BiasLayout | null => {
    const found = those(...names);
    const columns = names.map((role) => ({ count: layerWeightDims(shape, layer, role)[0]!, biased: roles.has(role) }));
    return found && { ...found, runs: biasRuns(columns) };
  };
  const attention = roles.has('qProj')
    ? {
        norm: those('attnNorm'),
        qkv: part('qProj', 'kProj', 'vProj'),
        qkvBias: biases('qBias', 'kBias', 'vBias'),
        headNorms: those('qNorm', 'kNorm'),
        out: part('oProj'),
        outBias: biases('oBias'),
        postNorm: those('postAttnNorm'),
      }
    : null;
  const mlp = roles.has('upProj')
    ? {
        norm: those('mlpNorm'),
        gateUp: part('gateProj', 'upProj'),
        gateUpBias: biases('gateBias', 'upBias'),
        down: part('downProj'),
        downBias: biases('downBias'),
        postNorm: those('postMlpNorm'),
      }
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

/** The channels of a token that are normalized together, of queries and of keys. */
export interface NormGroups {
  readonly queryHeads: number;
  readonly keyHeads: number;
  readonly queryDim: number;
  readonly keyDim: number;
}

/** A layer's heads; if the layer normalizes all channels together, one group each for queries and keys. */
export function normGroups({ heads, kvHeads, headDim, qkNorm }: LayerShape): NormGroups {
  return qkNorm === 'all'
    ? { queryHeads: 1, keyHeads: 1, queryDim: heads * headDim, keyDim: kvHeads * headDim }
    : { queryHeads: heads, keyHeads: kvHeads, queryDim: headDim, keyDim: headDim };
}

/** Columns of a matrix's output that have a bias. */
export interface BiasRun {
  /** First column, and how many. */
  readonly first: number;
  readonly count: number;
  /** Where their biases begin among all biases of the matrix. */
  readonly biasFirst: number;
}

/** The columns of a matrix's roles, in their order, as the fewest runs of columns with a bias: one if every role has a bias. */
export function biasRuns(columns: readonly { readonly count: number; readonly biased: boolean }[]): BiasRun[] {
  const runs: BiasRun[] = [];
  let first = 0;
  let biasFirst = 0;
  for (const { count, biased } of columns) {
    if (biased) {
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

/** The type of a matrix that stacks weights of these types. */
function commonDtype(dtypes: readonly StoredDtype[]): StoredDtype {
  return dtypes.every((dtype) => dtype === dtypes[0]) ? dtypes[0]! : 'F32';
}
