/** @file What is known of an edited plan without measuring: its shape, parameters and ratio. Pure. */
import { applyPlan, estimate } from '../../pruning/apply';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { VariantInfo } from '../contract/types';

export type Draft = Pick<VariantInfo, 'parameters' | 'ratio' | 'shape'>;

export function draftOf(model: ModelInfo, plan: PruningPlan): Draft {
  const shape = applyPlan(model.shape, plan);
  return { shape, ...estimate(model.shape, shape) };
}
