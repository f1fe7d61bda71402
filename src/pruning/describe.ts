/** @file A plan in words. */
import { isEmptyPlan, type PruningPlan, removedByKind } from './plan';

/** 'without 5, 6', 'without attention 3': the name of a variant whose plan was given none. */
export function describePlan(plan: PruningPlan): string {
  if (isEmptyPlan(plan)) return 'original model';
  const [blocks, attentions, mlps] = removedByKind(plan);
  const parts = [
    blocks.join(', '),
    attentions.length > 0 ? `attention ${attentions.join(', ')}` : '',
    mlps.length > 0 ? `MLP ${mlps.join(', ')}` : '',
  ];
  return `without ${parts.filter((part) => part !== '').join('; ')}`;
}
