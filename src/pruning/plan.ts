/** @file A pruning plan is plain JSON: indices of the whole model's units, nothing about tensors. */
import { LabError } from '../errors';
import { show } from '../model/configFields';
import type { ModelShape } from '../model/shape';

/** What to remove, in indices of the unpruned model. */
export interface PruningPlan {
  readonly version: 1;
  /** Id of the model that the indices belong to. */
  readonly model: string;
  /** Blocks to leave out whole, ascending. */
  readonly removeBlocks: readonly number[];
  /** Blocks that lose only their attention, ascending; none of them in removeBlocks. */
  readonly removeAttention: readonly number[];
  /** Blocks that lose only their MLP, ascending; none of them in removeBlocks. */
  readonly removeMlp: readonly number[];
}

/** The plan that removes nothing. */
export function emptyPlan(model: string): PruningPlan {
  return { version: 1, model, removeBlocks: [], removeAttention: [], removeMlp: [] };
}

const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/**
 * The same plan in canonical form: ascending, without repeats, and a block that loses both halves is removed whole.
 * Two plans that remove the same things are equal as JSON afterwards.
 */
export function normalizePlan(plan: PruningPlan): PruningPlan {
  const mlp = new Set(plan.removeMlp);
  const both = plan.removeAttention.filter((index) => mlp.has(index));
  const blocks = new Set([...plan.removeBlocks, ...both]);
  const halves = (values: readonly number[]) => ascending(values.filter((index) => !blocks.has(index)));
  return {
    version: 1,
    model: plan.model,
    removeBlocks: ascending(blocks),
    removeAttention: halves(plan.removeAttention),
    removeMlp: halves(plan.removeMlp),
  };
}

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/**
 * Whether two plans in canonical form remove the same units of the same model. Equal plans do not make equal variants: a
 * variant may have weights of its own, so that its numbers are found by its id.
 */
export function samePlan(a: PruningPlan, b: PruningPlan): boolean {
  return (
    a.model === b.model &&
    sameList(a.removeBlocks, b.removeBlocks) &&
    sameList(a.removeAttention, b.removeAttention) &&
    sameList(a.removeMlp, b.removeMlp)
  );
}

/** True when nothing is removed. */
export function isEmptyPlan(plan: PruningPlan): boolean {
  return plan.removeBlocks.length + plan.removeAttention.length + plan.removeMlp.length === 0;
}

function isPlan(value: unknown): value is PruningPlan {
  if (typeof value !== 'object' || value === null) return false;
  const plan = value as Record<string, unknown>;
  const lists = [plan['removeBlocks'], plan['removeAttention'], plan['removeMlp']];
  return plan['version'] === 1 && typeof plan['model'] === 'string' && lists.every((list) => Array.isArray(list));
}

const remedy = 'Make the plan with lab.plan(…) for the model that is open.';

/**
 * Checks a plan that may come from outside against the model that it is for; returns it in canonical form.
 * @throws LabError 'bad-plan' naming the first thing that does not fit.
 */
export function checkPlan(value: unknown, model: string, shape: ModelShape): PruningPlan {
  if (!isPlan(value)) {
    throw new LabError(
      'bad-plan',
      'The plan is not a pruning plan of version 1 (version, model, removeBlocks, …).',
      remedy,
    );
  }
  if (value.model !== model) {
    throw new LabError(
      'bad-plan',
      `The plan is for model '${value.model.slice(0, 200)}', but '${model}' is open.`,
      remedy,
    );
  }
  const layers = shape.layers.length;
  for (const list of ['removeBlocks', 'removeAttention', 'removeMlp'] as const) {
    for (const index of value[list]) {
      if (!Number.isInteger(index) || index < 0 || index >= layers) {
        const got = show(index);
        throw new LabError('bad-plan', `${list}: expected block indices 0 to ${layers - 1}, got ${got}.`, remedy);
      }
    }
  }
  const plan = normalizePlan(value);
  if (plan.removeBlocks.length >= layers) {
    throw new LabError('bad-plan', `The plan removes all ${layers} blocks.`, 'Keep at least one block.');
  }
  return plan;
}
