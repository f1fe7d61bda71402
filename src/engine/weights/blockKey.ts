/**
 * @file When views have a block in common: if all its tensors are stored at the same places.
 *
 * Each sub-block has a key of its own, because a variant without a block's attention still shares the block's MLP.
 */
import type { LayerShape } from '../../model/shape';
import type { TensorRef, WeightSource } from '../../model/weights';
import type { BlockLayout, PartLayout } from './blockLayout';

/** A key per sub-block; null where the layer has none. */
export interface BlockKeys {
  readonly attention: string | null;
  readonly mlp: string | null;
}

export function blockKeys({ attention, mlp, shape }: BlockLayout, weights: WeightSource): BlockKeys {
  const keyOf = (parts: object): string =>
    Object.values(parts)
      .filter((part): part is PartLayout => part !== null)
      .flatMap(({ roles, dtype }) =>
        roles.map((role) => `${role} as ${dtype} of ${placeKey(weights.layerTensor(role, shape.source))}`),
      )
      .join('\n');
  return {
    attention: attention && `${sizesOf(shape)}\n${keyOf(attention)}`,
    mlp: mlp && `ffn ${shape.ffn}\n${keyOf(mlp)}`,
  };
}

/** One key for both sub-blocks. */
export function fullKey({ attention, mlp }: BlockKeys): string {
  return `${attention ?? 'no attention'}\n\n${mlp ?? 'no MLP'}`;
}

/** Equal for tensors that are the same bytes, read in the same way. */
export function placeKey({ file, begin, end, dtype, dims }: TensorRef): string {
  return `${file}:${begin}:${end}:${dtype}:${dims.join('x')}`;
}

const sizesOf = ({ heads, kvHeads, headDim }: LayerShape): string => `heads ${heads}/${kvHeads} of ${headDim}`;
