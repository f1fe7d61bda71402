/** @file The tensors that a shape uses. */
import { layerTensors } from '../model/finiteWeights';
import { type ModelShape, modelRoles } from '../model/shape';
import { placeOf, type TensorRef, type WeightSource } from '../model/weights';

/** Every tensor that a shape uses, each stored range once. */
export function tensorsOf(shape: ModelShape, weights: WeightSource): TensorRef[] {
  const all = [...modelRoles(shape).map((role) => weights.modelTensor(role)), ...layerTensors(shape.layers, weights)];
  return [...new Map(all.map((ref) => [placeOf(ref), ref])).values()];
}
