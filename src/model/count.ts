/** @file Parameters, bytes and operations of a shape: pure arithmetic, used by estimates, the page and the report. */
import { type LayerShape, layerRoles, layerWeightDims, type ModelShape, modelRoles, modelWeightDims } from './shape';

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
