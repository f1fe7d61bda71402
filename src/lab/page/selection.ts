/**
 * @file The selection that the page shows and edits: a plan, with the model's weights or with those of one variant. Pure. Numbers of the
 * page carry the selection that they were measured on.
 */
import { emptyPlan, isEmptyPlan, type PruningPlan, samePlan } from '../../pruning/plan';

export interface Selection {
  readonly plan: PruningPlan;
  /** Id of the variant whose own weights belong to the plan; null where all weights are the model's. */
  readonly ownWeights: string | null;
}

/** Whether a number of one selection is a number of the other: the same plan with the same weights. */
export function sameSelection(a: Selection, b: Selection): boolean {
  return a.ownWeights === b.ownWeights && samePlan(a.plan, b.plan);
}

/** The unpruned model. */
export function baseSelection(model: string): Selection {
  return { plan: emptyPlan(model), ownWeights: null };
}

export function isBase({ plan, ownWeights }: Selection): boolean {
  return ownWeights === null && isEmptyPlan(plan);
}

/** The first argument of `lab.perplexity` and `lab.generate`. */
export function targetOf(selection: Selection): string | PruningPlan {
  return selection.ownWeights ?? (isBase(selection) ? 'base' : selection.plan);
}

/** The selection of the page's state; null while no model is open. */
export function selectionOf(state: { plan: PruningPlan | null; ownWeights: string | null }): Selection | null {
  return state.plan && { plan: state.plan, ownWeights: state.ownWeights };
}

/** Results of the last `most` selections, each under its plan and weights. */
export class KnownResults<T> {
  readonly #most: number;
  /** The last used at the end. */
  #entries: { readonly selection: Selection; readonly value: T }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.length;
  }

  get(selection: Selection): T | undefined {
    const index = this.#entries.findIndex((entry) => sameSelection(entry.selection, selection));
    const [entry] = index < 0 ? [] : this.#entries.splice(index, 1);
    if (entry) this.#entries.push(entry);
    return entry?.value;
  }

  set(selection: Selection, value: T): void {
    const others = this.#entries.filter((entry) => !sameSelection(entry.selection, selection));
    this.#entries = [...others, { selection, value }].slice(-this.#most);
  }

  /** Forgets results with a variant's own weights. */
  forget(variant: string): void {
    this.#entries = this.#entries.filter(({ selection }) => selection.ownWeights !== variant);
  }

  clear(): void {
    this.#entries = [];
  }
}
