/** @file A selection's shape, parameters and ratio, which need no measurement. Pure. */
import { applyPlan, estimate } from '../../pruning/apply';
import type { ModelInfo } from '../../report/facts';
import type { VariantInfo } from '../contract/types';
import type { Selection } from './selection';

export type Draft = Pick<VariantInfo, 'parameters' | 'ratio' | 'shape'>;

/** Weights of its own may add to a variant's shape, for example biases. */
export function draftOf(model: ModelInfo, selection: Selection, variants: readonly VariantInfo[]): Draft {
  const own = variants.find(({ id }) => id === selection.ownWeights);
  if (own) return { parameters: own.parameters, ratio: own.ratio, shape: own.shape };
  const shape = applyPlan(model.shape, selection.plan);
  return { shape, ...estimate(model.shape, shape) };
}
