/** @file Refuses weights that are not finite before a task computes a number from them. */
import { findingsOf, layerTensors, type WeightFindings } from '../../model/finiteWeights';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';

/** Each check throws 'non-finite' with the tensor's name. Only weights that have been uploaded so far are known. */
export class WeightChecks {
  readonly #shape: ModelShape;
  readonly #weights: WeightSource;
  readonly #findings: readonly WeightFindings[];

  /** @param shared weights whose tensors the view may have in common, and which may have been uploaded before */
  constructor(shape: ModelShape, weights: WeightSource, shared: WeightSource = weights) {
    this.#shape = shape;
    this.#weights = weights;
    this.#findings = [...new Set([findingsOf(weights), findingsOf(shared)])];
  }

  /** Checks the weights of layers that a task will pass through. */
  layers(layers: readonly LayerShape[]): void {
    for (const findings of this.#findings) {
      if (!findings.areFinite) findings.refuse(layerTensors(layers, this.#weights));
    }
  }

  /** Checks the embedding's rows of these tokens; other rows do not matter. */
  embed(tokens: Iterable<number>): void {
    const embed = this.#weights.modelTensor('embed');
    for (const findings of this.#findings) findings.refuseRows(embed, tokens);
  }

  /** Checks the final norm and the head. */
  head(): void {
    const head = this.#shape.tiedHead ? 'embed' : 'lmHead';
    const tensors = [this.#weights.modelTensor('finalNorm'), this.#weights.modelTensor(head)];
    for (const findings of this.#findings) findings.refuse(tensors);
  }
}
