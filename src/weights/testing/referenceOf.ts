/** @file For tests: the weights that a shape uses, as arrays for the float64 model. */
import { type LayerRole, layerRoles, type ModelShape } from '../../model/shape';
import { type TensorRef, toFloat32, type WeightSource } from '../../model/weights';
import type { ReferenceWeights } from '../../numerics/model';

export async function referenceOf(shape: ModelShape, weights: WeightSource): Promise<ReferenceWeights> {
  const values = async (ref: TensorRef): Promise<Float32Array> => toFloat32(await weights.read(ref), ref.dtype);
  const layers: Partial<Record<LayerRole, Float32Array>>[] = [];
  for (const layer of shape.layers) {
    const own: Partial<Record<LayerRole, Float32Array>> = {};
    for (const role of layerRoles(layer)) own[role] = await values(weights.layerTensor(role, layer.source));
    layers[layer.source] = own;
  }
  return {
    embed: await values(weights.modelTensor('embed')),
    finalNorm: await values(weights.modelTensor('finalNorm')),
    ...(shape.tiedHead ? {} : { lmHead: await values(weights.modelTensor('lmHead')) }),
    layers,
  };
}
