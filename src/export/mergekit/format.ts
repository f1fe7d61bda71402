/** @file The format 'mergekit' in the registry. */
import { isEmptyPlan, removesWidth } from '../../pruning/plan';
import { hasBaseWeights } from '../../pruning/variant';
import type { ExportedVariant, ExportFormat, ExportRefusal } from '../exported';

const elsewhere = "Export as 'recipe': its script applies any plan with transformers.";

/** Why passthrough of mergekit cannot make the variant. It copies whole blocks, and nothing else. */
function refusal({ plan, recipe }: ExportedVariant): ExportRefusal | null {
  const refuse = (message: string): ExportRefusal => ({ message: `mergekit ${message}`, remedy: elsewhere });
  if (removesWidth(plan)) return refuse('copies whole blocks: this variant has lost single heads or neurons.');
  if (plan.removeAttention.length + plan.removeMlp.length > 0) {
    return refuse('copies whole blocks: this variant has lost the attention or the MLP of a block alone.');
  }
  if (!hasBaseWeights(recipe)) return refuse("copies the base's weights: this variant has repaired or replaced ones.");
  if (isEmptyPlan(plan)) {
    return { message: 'There is nothing to merge: the model is unchanged.', remedy: 'Remove blocks first.' };
  }
  return null;
}

export const mergekit: ExportFormat = {
  id: 'mergekit',
  label: 'mergekit YAML',
  dtypes: [],
  runsIn: () =>
    'mergekit makes the variant from the full checkpoint, also of a larger model with the same cut; the files hold no weights.',
  refusal,
  load: () => import('./write'),
};
