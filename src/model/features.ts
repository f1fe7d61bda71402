/** @file What a layer may ask for beyond LLaMA's plain block, and the refusal by a room that does not compute it. */
import { LabError } from '../errors';
import type { LayerShape, ModelShape } from './shape';

/** Optional fields of a layer that change its arithmetic. */
export type LayerFeature = Extract<keyof LayerShape, 'window' | 'biases' | 'qkNorm'>;

const labels: Readonly<Record<LayerFeature, string>> = {
  window: 'a sliding window',
  biases: 'biases of the attention',
  qkNorm: 'norms of queries and keys',
};

/** Throws 'unsupported-architecture' where a layer has something that `who` lacks: a wrong number is worse than none. */
export function refuseFeatures({ family, layers }: ModelShape, lacking: readonly LayerFeature[], who: string): void {
  for (const layer of layers) {
    const found = lacking.find((feature) => layer.heads > 0 && layer[feature] !== undefined);
    if (found === undefined) continue;
    throw new LabError(
      'unsupported-architecture',
      `Block ${layer.source} of this ${family} model has ${labels[found]}, which ${who} does not compute.`,
      'Choose a model without this feature.',
    );
  }
}
