/**
 * @file What plans leave of the open model, for plans that no variant keeps, too.
 *
 * A plan that is measured without being kept stands for an unlisted variant with an id of its own. It has the base's weights, so
 * the plan says all of it.
 */
import type { ModelView } from '../../model/view';
import { pruned, type Weighted } from '../../pruning/cuts';
import { type PruningPlan, samePlan } from '../../pruning/plan';
import { Recent } from '../../recent';

/** Unlisted variants that are remembered: a user edits one plan, a script asks for many. */
const most = 16;

export class PlanViews {
  readonly #base: Weighted;
  readonly #gone: (view: ModelView) => void;
  /** What plans leave of the base, for the plans that were last asked for. */
  readonly #cuts = new Recent<number, { readonly plan: PruningPlan; readonly cut: Weighted }>(most);
  /** Unlisted variants by their ids. */
  readonly #unlisted = new Recent<string, { readonly plan: PruningPlan; readonly view: ModelView }>(most);
  #nextCut = 1;
  #nextUnlisted = 1;

  /** `gone` hears of every unlisted variant that is not asked for any more. */
  constructor(base: Weighted, gone: (view: ModelView) => void) {
    this.#base = base;
    this.#gone = gone;
  }

  /** What a plan leaves of the base. Variants of one plan share the weights, hence what is made from them. */
  cut(plan: PruningPlan): Weighted {
    const known = [...this.#cuts.values()].find((each) => samePlan(each.plan, plan));
    if (known) return known.cut;
    const cut = pruned(this.#base, plan);
    this.#cuts.set(this.#nextCut++, { plan, cut });
    return cut;
  }

  /** The view of the unlisted variant of a plan. */
  unlisted(plan: PruningPlan): ModelView {
    const known = this.#find(plan);
    if (known) return this.#unlisted.get(known.id)?.view ?? known; // used last from now on
    const view = { id: `plan${this.#nextUnlisted++}`, ...this.cut(plan) };
    const before = [...this.#unlisted.values()];
    this.#unlisted.set(view.id, { plan, view });
    for (const old of before) if (!this.#unlisted.has(old.view.id)) this.#gone(old.view);
    return view;
  }

  /** Forgets the unlisted variant of a plan that is listed from now on; null where there was none. */
  take(plan: PruningPlan): ModelView | null {
    const view = this.#find(plan);
    if (view) this.#unlisted.delete(view.id);
    return view;
  }

  #find(plan: PruningPlan): ModelView | null {
    return [...this.#unlisted.values()].find((each) => samePlan(each.plan, plan))?.view ?? null;
  }
}
