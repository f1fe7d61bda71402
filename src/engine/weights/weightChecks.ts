/** @file No number comes from weights that are not finite: what a task is about to use is looked up among what was found. */
import { findingsOf, layerTensors, type WeightFindings } from '../../model/finiteWeights';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';

/** Each check throws 'non-finite' with the tensor's name; only what has been uploaded so far is known. */
export class WeightChecks {
  readonly #shape: ModelShape;
  readonly #weights: WeightSource;
  readonly #findings: WeightFindings;

  constructor(shape: ModelShape, weights: WeightSource) {
    this.#shape = shape;
    this.#weights = weights;
    this.#findings = findingsOf(weights);
  }

  /** For whoever passes these layers. */
  layers(layers: readonly LayerShape[]): void {
    if (this.#findings.areFinite) return;
    this.#findings.refuse(layerTensors(layers, this.#weights));
  }

  /** For whoever embeds these tokens: rows of others do not matter. */
  embed(tokens: Iterable<number>): void {
    this.#findings.refuseRows(this.#weights.modelTensor('embed'), tokens);
  }

  /** For whoever computes logits. */
  head(): void {
    const head = this.#shape.tiedHead ? 'embed' : 'lmHead';
    this.#findings.refuse([this.#weights.modelTensor('finalNorm'), this.#weights.modelTensor(head)]);
  }
}
