/** @file From a variant's recipe to the calls that make it again. Pure. */
import { isEmptyPlan, type PruningPlan, samePlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import { hasBaseWeights, type PatchFacts, type RepairText, type RetrainStep, type Step } from '../../pruning/variant';
import type { ComparisonRow } from '../results';
import { trainingAgain } from './training';

/** One call of `lab.variant`: everything that is removed by then, and the repair of this step. */
export interface Action {
  readonly plan: PruningPlan;
  readonly repair: RepairMethod | 'none';
  /** What the repair was computed from. */
  readonly text: RepairText | null;
}

/** How a row's variant is made again. */
export interface Making {
  /** Id in the report of the row that it goes on from; 'base' for none. */
  readonly from: string;
  readonly actions: readonly Action[];
  /** Trainings behind the actions. */
  readonly trainings: readonly RetrainStep[];
}

export type Makeable = { readonly making: Making } | { readonly why: string };

const outside: Makeable = {
  why: 'It has weights from a file, and a report holds only the hash of the file.',
};
const afterTraining: Makeable = {
  why: 'It was pruned or repaired after a training: a report does not tell how to make that again.',
};
const stepByStep: Makeable = {
  why: 'It was made block by block, and its first cuts had no repair: a report does not tell how to make that again.',
};

/** How the variant of a row is made again. `rows`: the report's, for those that it may go on from. */
export function makingOf(row: ComparisonRow, rows: readonly ComparisonRow[]): Makeable {
  const first = row.recipe.findIndex(({ kind }) => kind === 'retrain');
  if (first < 0) return withoutTraining(row, rows);
  const trainings = row.recipe.slice(first).filter((step) => step.kind === 'retrain');
  if (trainings.length < row.recipe.length - first) return afterTraining;
  const parent = rows.find(({ variant }) => variant === row.parent && variant !== row.variant);
  // The parent is what was trained last: it has all steps but the last ones.
  const known = parent && parent.variant !== 'base' && samePlan(parent.plan, row.plan) ? parent.recipe.length : 0;
  const left = row.recipe.slice(Math.max(first, known)).filter((step) => step.kind === 'retrain');
  for (const step of left) {
    const again = trainingAgain(step);
    if ('why' in again) return again;
  }
  if (parent && known >= first && left.length > 0) {
    return { making: { from: parent.variant, actions: [], trainings: left } };
  }
  const before = row.recipe.slice(0, first);
  if (before.length === 0) return { making: { from: 'base', actions: [], trainings } };
  const pruned = withoutTraining({ ...row, recipe: before }, rows);
  return 'why' in pruned ? pruned : { making: { ...pruned.making, trainings } };
}

function withoutTraining(row: ComparisonRow, rows: readonly ComparisonRow[]): Makeable {
  const actions = actionsOf(row.recipe);
  if (actions === null) return outside;
  if (cutsBeforeRepair(row.recipe) > 1) return stepByStep;
  const parent = rows.find(({ variant }) => variant === row.parent && variant !== row.variant);
  const before = parent && actionsOf(parent.recipe);
  const whole = actions.length > 0 ? actions : [{ plan: row.plan, repair: 'none', text: null } as const];
  const making = (from: string, own: readonly Action[]): Makeable => ({
    making: { from, actions: own, trainings: [] },
  });
  if (!parent || !before || parent.variant === 'base') return making('base', whole);
  // A variant with the model's weights is only a name for its plan: what goes on from it goes on from the model.
  if (hasBaseWeights(parent.recipe)) return making(parent.variant, whole);
  const goesOn = before.length < whole.length && before.every((action, at) => sameAction(action, whole[at]!));
  if (!goesOn) return making('base', whole);
  return making(parent.variant, whole.slice(before.length));
}

const sameAction = (a: Action, b: Action): boolean =>
  a.repair === b.repair && a.text?.hash === b.text?.hash && samePlan(a.plan, b.plan);

/** The calls of a recipe, from the base on; null where one of its steps takes weights from outside. */
export function actionsOf(recipe: readonly Step[]): Action[] | null {
  const actions: Action[] = [];
  /** Tensors that repairs have made so far; null where none has, or where the recipe does not name them. */
  let made: PatchFacts | null = null;
  for (const [at, step] of recipe.entries()) {
    const last = actions.at(-1);
    if (step.kind === 'patch') {
      const isRepaired = actions.some(({ repair }) => repair !== 'none');
      if (!isRepaired || !isCarried(step, made, recipe[at - 1])) return null;
    } else if (step.kind === 'prune') {
      actions.push({ plan: step.plan, repair: 'none', text: null });
    } else if (step.kind === 'retrain') {
      return null;
    } else {
      if (last === undefined) return null; // a repair without a cut has nothing to repair
      const repair = { plan: last.plan, repair: step.method, text: step.text };
      if (last.repair === 'none') actions[actions.length - 1] = repair;
      else actions.push(repair);
      made = step.patch ?? null;
    }
  }
  const isPlain = actions.every(({ repair }) => repair === 'none');
  return (isPlain ? actions.slice(-1) : actions).filter(({ plan }) => !isEmptyPlan(plan));
}

/**
 * Whether a patch holds only what a repair before it had made, cut along with the model: such a step stands behind the cut. Names of
 * tensors tell, where there are any; a file from outside may replace the same tensors, but not right behind a cut.
 */
function isCarried(patch: PatchFacts, made: PatchFacts | null, before: Step | undefined): boolean {
  if (before?.kind !== 'prune') return false;
  const names = made && new Set(made.tensors.map(({ name }) => name));
  return names === null || patch.tensors.every(({ name }) => names.has(name));
}

/**
 * How many cuts stand before the first repair; 0 without a repair. Only `lab.iterate` makes more than one: a repair of it measures the
 * model behind the first cut, and `lab.variant` measures the base.
 */
function cutsBeforeRepair(recipe: readonly Step[]): number {
  return Math.max(
    0,
    recipe.findIndex(({ kind }) => kind === 'repair'),
  );
}
