/**
 * @file A cache of data derived from tensors. All views of a model share it; an entry is dropped with the owner of its
 * bytes.
 */
import { ownerOf, placeOf, type TensorRef, type WeightSource } from '../model/weights';

export class OwnerCache<T> {
  readonly #made = new WeakMap<object, Map<string, T>>();

  get(weights: WeightSource, ref: TensorRef): T | undefined {
    return this.#made.get(ownerOf(weights, ref))?.get(placeOf(ref));
  }

  set(weights: WeightSource, ref: TensorRef, value: T): T {
    const owner = ownerOf(weights, ref);
    const known = this.#made.get(owner) ?? new Map<string, T>();
    this.#made.set(owner, known.set(placeOf(ref), value));
    return value;
  }
}
