/** @file How `lab.variant` makes a variant: pruned, patched or repaired. */
import { LabError } from '../../errors';
import { baseViewId } from '../../model/view';
import type { PruningPlan } from '../../pruning/plan';
import type { TaskOptions } from '../../task';
import type { VariantInfo, VariantOptions } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { Workspace } from './workspace';

export async function makeVariant(
  { variants }: Workspace,
  _gpu: Gpu,
  task: TaskOptions,
  value: PruningPlan,
  { name, patch, repair, parent = baseViewId }: Plain<VariantOptions>,
): Promise<VariantInfo> {
  const plan = variants.check(value);
  const method = repair ?? (patch ? 'none' : (plan.repair ?? 'none'));
  if (method !== 'none' || parent !== baseViewId) {
    throw new LabError('not-available', 'Repairs are not in this version yet.', "Use the repair 'none'.");
  }
  return patch === undefined ? variants.add(plan, name) : variants.addPatched(plan, patch, name, task);
}
