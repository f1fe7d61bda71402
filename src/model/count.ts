/** @file Parameters, bytes and operations of a shape: pure arithmetic, used by estimates, the page and the report. */
import {
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
  modelRoles,
  modelWeightDims,
  type Role,
} from './shape';

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Parameters of one block (projections and norms). */
export function layerParameters(shape: ModelShape, layer: LayerShape): number {
  return layerRoles(layer).reduce((sum, role) => sum + product(layerWeightDims(shape, layer, role)), 0);
}

/** Parameters of the whole model; a tied head counts once. */
export function modelParameters(shape: ModelShape): number {
  const outside = modelRoles(shape).reduce((sum, role) => sum + product(modelWeightDims(shape, role)), 0);
  return shape.layers.reduce((sum, layer) => sum + layerParameters(shape, layer), outside);
}

/** The weight with the most elements, by its role. */
export function largestTensor(shape: ModelShape): { readonly name: Role; readonly elements: number } {
  const all = [
    ...modelRoles(shape).map((role) => ({ name: role, elements: product(modelWeightDims(shape, role)) })),
    ...shape.layers.flatMap((layer) =>
      layerRoles(layer).map((role) => ({ name: role, elements: product(layerWeightDims(shape, layer, role)) })),
    ),
  ];
  return all.reduce((largest, each) => (each.elements > largest.elements ? each : largest));
}

/**
 * Bytes of the key/value cache of one sequence: two vectors per token, attention and key/value head.
 * @param elementBytes of a cache element; ONNX Runtime's caches are float32 here
 */
export function cacheBytes(shape: Pick<ModelShape, 'layers'>, tokens: number, elementBytes = 4): number {
  return shape.layers.reduce((sum, { kvHeads, headDim }) => sum + 2 * tokens * kvHeads * headDim * elementBytes, 0);
}
