/** @file Where each role's weights lie in the buffers of a block. */
import {
  type BiasRole,
  type LayerRole,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
} from '../../model/shape';
import type { StoredDtype } from '../../model/weights';
import type { BlockWeights, Projection } from './gpuWeights';

/** Consecutive elements of a buffer. */
export interface RoleSpan {
  readonly buffer: GPUBuffer;
  readonly dtype: StoredDtype;
  /** First element, and how many. */
  readonly first: number;
  readonly count: number;
}

/** The spans of all roles that the layer has; roles of one matrix, and biases of one matrix, lie one after the other. */
export function roleSpans(
  shape: ModelShape,
  layer: LayerShape,
  { attention, mlp }: BlockWeights,
): Map<LayerRole, RoleSpan> {
  const spans = new Map<LayerRole, RoleSpan>();
  const has = new Set(layerRoles(layer));
  const place = (buffer: GPUBuffer | null | undefined, dtype: StoredDtype, roles: readonly LayerRole[]): void => {
    let first = 0;
    for (const role of roles) {
      if (!has.has(role) || !buffer) continue;
      const count = layerWeightDims(shape, layer, role).reduce((product, dim) => product * dim, 1);
      spans.set(role, { buffer, dtype, first, count });
      first += count;
    }
  };
  const project = ({ matrix, bias }: Projection, roles: readonly LayerRole[], biases: readonly BiasRole[]): void => {
    place(matrix.buffer, matrix.dtype, roles);
    place(bias?.buffer, 'F32', biases);
  };
  if (attention) {
    place(attention.norm, 'F32', ['attnNorm']);
    project(attention.qkv, ['qProj', 'kProj', 'vProj'], ['qBias', 'kBias', 'vBias']);
    place(attention.headNorms, 'F32', ['qNorm', 'kNorm']);
    project(attention.out, ['oProj'], ['oBias']);
    place(attention.postNorm, 'F32', ['postAttnNorm']);
  }
  if (mlp) {
    place(mlp.norm, 'F32', ['mlpNorm']);
    project(mlp.gateUp, ['gateProj', 'upProj'], ['gateBias', 'upBias']);
    project(mlp.down, ['downProj'], ['downBias']);
    place(mlp.postNorm, 'F32', ['postMlpNorm']);
  }
  return spans;
}
