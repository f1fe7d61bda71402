/** @file What a block takes of a budget: bytes of cache. Time is told by the latency table, parameters by `model/count.ts`. */
import type { LayerShape, ModelShape } from '../../model/shape';

/** Keys and values are held in float32. */
const elementBytes = 4;

/** Bytes of a layer's keys and values after so many tokens: no more than its sliding window sees. */
export function layerCacheBytes({ kvHeads, headDim, window }: LayerShape, tokens: number): number {
  return 2 * kvHeads * headDim * elementBytes * Math.min(tokens, window ?? tokens);
}

/** The same of a whole model. */
export function windowedCacheBytes({ layers }: Pick<ModelShape, 'layers'>, tokens: number): number {
  return layers.reduce((sum, layer) => sum + layerCacheBytes(layer, tokens), 0);
}
