/** @file Which kept variant the page shows, and which variants have weights of their own. Pure. */
import { isEmptyPlan, samePlan } from '../../pruning/plan';
import type { VariantInfo } from '../contract/types';
import type { LabState } from './store';

/** Whether a variant's weights differ from those that its plan keeps of the base. Its numbers are then its own, too. */
export function hasOwnWeights({ recipe }: Pick<VariantInfo, 'recipe'>): boolean {
  return recipe.some(({ kind }) => kind !== 'prune');
}

/**
 * Id of the kept variant whose numbers are those of the plan being edited; null while there is none. A variant with weights
 * of its own is shown only where the user chose it, however its plan reads.
 */
export function shownVariant({ plan, ownWeights, variants }: ShownState): string | null {
  if (!plan) return null;
  if (ownWeights !== null) return ownWeights;
  if (isEmptyPlan(plan)) return 'base';
  const isShown = (variant: VariantInfo): boolean =>
    variant.id !== 'base' && !hasOwnWeights(variant) && samePlan(variant.plan, plan);
  return variants.find(isShown)?.id ?? null;
}

export type ShownState = Pick<LabState, 'plan' | 'ownWeights' | 'variants'>;
