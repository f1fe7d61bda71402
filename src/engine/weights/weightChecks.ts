/** @file No number comes from weights that are not finite: what a task is about to use is looked up among what was found. */
import { findingsOf, layerTensors, type WeightFindings } from '../../model/finiteWeights';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';

/** Each check throws 'non-finite' with the tensor's name; only what has been uploaded so far is known. */
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

  /** For whoever passes these layers. */
  layers(layers: readonly LayerShape[]): void {
    for (const findings of this.#findings) {
      if (!findings.areFinite) findings.refuse(layerTensors(layers, this.#weights));
    }
  }

  /** For whoever embeds these tokens: rows of others do not matter. */
  embed(tokens: Iterable<number>): void {
    const embed = this.#weights.modelTensor('embed');
    for (const findings of this.#findings) findings.refuseRows(embed, tokens);
  }

  /** For whoever computes logits. */
  head(): void {
    const head = this.#shape.tiedHead ? 'embed' : 'lmHead';
    const tensors = [this.#weights.modelTensor('finalNorm'), this.#weights.modelTensor(head)];
    for (const findings of this.#findings) findings.refuse(tensors);
  }
}
