/** @file Commands that edit the plan. The live numbers follow by themselves. */

import type { SearchId } from '../../../importance/methods';
import type { SubBlock } from '../../../model/unit';
import { type PruningPlan, planOfUnits, removedLayers, unitsOf } from '../../../pruning/plan';
import { planOf, planOfSteps } from '../../../pruning/select';
import { draftOf } from '../draft';
import { proposalOrder } from '../proposal';
import { baseSelection, type Selection, sameSelection, selectionOf } from '../selection';
import { planOfSubBlocks, withSubBlockToggled } from '../subBlocks';
import type { Context } from './context';
import type { Following } from './following';

export interface PlanCommands {
  /** Removes or restores one block. */
  toggleBlock(block: number): void;
  /** Removes or restores one attention or MLP. */
  toggleSubBlock(subBlock: SubBlock): void;
  /** Removes the `count` blocks or sub-blocks that the chosen criterion ranks lowest; at least one stays. */
  proposeCount(count: number): void;
  /** Removes the units of a search's first `count` steps. */
  applySearch(search: SearchId, count: number): void;
  /** Removes the set that the evolutionary search found. */
  applyEvolution(): void;
  undo(): void;
  redo(): void;
  /** Restores every block. */
  resetPlan(): void;
}

export interface PlanSteps {
  /** Shows another plan, with the model's weights or a variant's own; undo comes back from it. */
  select(selection: Selection): void;
  /** Shows an edited plan. It runs with the model's weights: a variant's own weights belong to the variant's plan. */
  edit(plan: PruningPlan): void;
}

/** So many steps can be undone. */
const mostSteps = 1000;

export function createPlanCommands({ store }: Context, { follow }: Following): PlanCommands & PlanSteps {
  const { getState, setState } = store;

  function select(selection: Selection): void {
    const { model, past, variants } = getState();
    const before = selectionOf(getState());
    if (!model || !before || sameSelection(selection, before)) return;
    setState({
      ...selection,
      past: [...past, before].slice(-mostSteps),
      future: [],
      draft: draftOf(model, selection, variants),
    });
    follow();
  }

  const edit = (plan: PruningPlan): void => {
    const before = selectionOf(getState());
    if (before && sameSelection({ plan, ownWeights: before.ownWeights }, before)) return;
    select({ plan, ownWeights: null });
  };

  function step(from: 'past' | 'future'): void {
    const { model, past, future, variants } = getState();
    const current = selectionOf(getState());
    const target = from === 'past' ? past.at(-1) : future[0];
    if (!model || !current || !target) return;
    setState({
      ...target,
      ...(from === 'past'
        ? { past: past.slice(0, -1), future: [current, ...future] }
        : { past: [...past, current], future: future.slice(1) }),
      draft: draftOf(model, target, variants),
    });
    follow();
  }

  return {
    select,
    edit,
    toggleBlock(block) {
      const { model, plan } = getState();
      if (!model || !plan) return;
      const units = unitsOf(plan);
      const others = units.filter(({ kind, layer }) => kind !== 'block' || layer !== block);
      const isRemoved = others.length < units.length;
      const isLast = !isRemoved && removedLayers(plan, 'block').length + 1 >= model.shape.layers.length;
      if (!isLast) {
        edit(planOfUnits(plan.model, isRemoved ? others : [...units, { kind: 'block', layer: block }], plan));
      }
    },
    toggleSubBlock(subBlock) {
      const { model, plan } = getState();
      const toggled = model && plan && withSubBlockToggled(plan, subBlock, model.shape.layers.length);
      if (toggled) edit(toggled); // null: the last sub-block stays
    },
    proposeCount(count) {
      const { model, unitMode } = getState();
      if (!model || unitMode === 'width') return;
      const order = proposalOrder(getState());
      const layers = model.shape.layers.length;
      edit(
        unitMode === 'blocks'
          ? planOf(model.id, 'block', order.slice(0, Math.min(count, layers - 1)))
          : planOfSubBlocks(model.id, order.slice(0, Math.min(count, 2 * layers - 1))),
      );
    },
    applySearch(search, count) {
      const { model, searches } = getState();
      const steps = searches[search]?.steps;
      if (model && steps) edit(planOfSteps(model.id, steps.slice(0, count)));
    },
    applyEvolution() {
      const { model, evolution } = getState();
      if (model && evolution) edit(planOfSteps(model.id, evolution.removed));
    },
    undo: () => step('past'),
    redo: () => step('future'),
    resetPlan() {
      const { model } = getState();
      if (model) select(baseSelection(model.id));
    },
  };
}
