/** @file How `lab.variant` makes a variant: pruned, patched or repaired. */
import { LabError } from '../../errors';
import { baseViewId } from '../../model/view';
import { planBeyond } from '../../pruning/beyond';
import { describePlan } from '../../pruning/describe';
import { type PruningPlan, removesWidth, samePlan } from '../../pruning/plan';
import { type RepairMethod, repairLabels } from '../../pruning/repairMethods';
import { advance } from '../../repair/advance';
import type { TaskOptions } from '../../task';
import type { RepairChoice, VariantInfo, VariantOptions } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import { methodOf, repairOn } from './repairing';
import type { Workspace } from './workspace';

export async function makeVariant(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  value: PruningPlan,
  { name, patch, repair, parent = baseViewId }: Plain<VariantOptions>,
): Promise<VariantInfo> {
  const { variants, model } = workspace;
  const plan = variants.check(value);
  const from = variants.get(parent);
  // What the parent lacks stays away, also where its weights are the base's.
  const beyond = planBeyond(model.info.shape, from.plan, plan);
  if (repair !== undefined && repair !== 'none' && patch !== undefined) throw eitherPatchOrRepair();
  const method = methodOf(repair ?? (patch ? 'none' : unasked(plan, parent === baseViewId || removesWidth(beyond))));
  if (parent === baseViewId && method === null) {
    return patch === undefined ? variants.add(plan, name) : variants.addPatched(plan, patch, name, task);
  }
  if (method === null && patch === undefined && name === undefined && samePlan(from.plan, plan)) return from;
  const called = name ?? nameOf(describePlan(plan, model.info.shape), method, patch !== undefined);
  const base = variants.view(baseViewId);
  const draft = variants.draft(parent);
  return gpu.tuning.undisturbed(async () => {
    const change = method === null ? undefined : await repairOn(workspace, gpu, method, task);
    const known = change && variants.findRepaired(plan, called, parent, change.method, change.text.hash);
    if (known) return known;
    const next = await advance(base, draft, plan, { repair: change, patch }, task);
    return variants.addMade({ ...next, name: called, parent }, task);
  }, task.signal);
}

/** What the plan says, where there is something for it to repair. */
function unasked({ repair = 'none' }: { readonly repair?: RepairChoice }, cutsWidth: boolean): RepairChoice {
  return repair === 'flap-bias' && !cutsWidth ? 'none' : repair;
}

function nameOf(plan: string, method: RepairMethod | null, isPatched: boolean): string {
  if (method !== null) return `${plan}, repaired by ${repairLabels[method]}`;
  return isPatched ? `${plan}, patched` : plan;
}

function eitherPatchOrRepair(): LabError {
  return new LabError(
    'bad-argument',
    'patch and repair: expected one of them, got both.',
    "Make the patched variant first, and give its id as 'parent' to the repaired one.",
  );
}
