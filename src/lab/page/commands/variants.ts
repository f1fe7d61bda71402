/** @file Commands about variants that were kept: show, discard. */

import { draftOf } from '../draft';
import { type Selection, selectionOf } from '../selection';
import { hasOwnWeights } from '../shownVariant';
import type { Context } from './context';
import type { Following } from './following';
import type { LiveSteps } from './live';
import type { PlanSteps } from './plan';
import type { StorageCommands } from './storage';
import { refreshVariants } from './variantList';
import type { WritingSteps } from './writing';

export interface VariantCommands {
  /** Shows a variant as the plan being edited, with its own weights if it has any. */
  showVariant(id: string): void;
  /** Discards a variant with its numbers and its own weights. */
  discardVariant(id: string): Promise<void>;
}

export interface VariantSteps {
  /** Some call has changed the variants or their numbers: reads them again soon, once for several calls. */
  variantsChanged(): void;
}

/** Calls of one command or script come in groups. */
const groupMs = 50;

interface Parts {
  readonly storage: StorageCommands;
  readonly live: LiveSteps;
  readonly writing: WritingSteps;
  readonly plans: PlanSteps;
  readonly following: Following;
}

export function createVariantCommands(
  context: Context,
  { storage, live, writing, plans, following }: Parts,
): VariantCommands & VariantSteps {
  let reading: ReturnType<typeof setTimeout> | undefined;
  /** Bytes of variants' own weights when the list of stored models was last read. */
  let listedBytes = 0;
  const { lab, store, tasks, saving } = context;
  const { getState, setState } = store;

  /** Where the page showed a variant's own weights, it goes on with the model's. */
  function leaveWeightsOf(id: string): void {
    live.forget(id);
    writing.forget(id);
    const without = (selection: Selection): Selection =>
      selection.ownWeights === id ? { ...selection, ownWeights: null } : selection;
    const { past, future } = getState();
    setState({ past: past.map(without), future: future.map(without) });
    const current = selectionOf(getState());
    const { model, variants } = getState();
    if (!model || current?.ownWeights !== id) return;
    const selection = without(current);
    setState({ ...selection, draft: draftOf(model, selection, variants) });
    following.follow();
  }

  const storedBytes = (): number => getState().variants.reduce((sum, { patchBytes }) => sum + patchBytes, 0);

  async function read(): Promise<void> {
    if (!getState().model) return;
    try {
      await refreshVariants(context);
      if (storedBytes() !== listedBytes) await storage.refreshStorage();
      listedBytes = storedBytes();
    } catch (thrown) {
      console.warn('The variants could not be read.', thrown);
      return;
    }
    const { ownWeights, past, future, variants } = getState();
    const shown = new Set([ownWeights, ...[...past, ...future].map((selection) => selection.ownWeights)]);
    for (const id of shown) if (id !== null && variants.every((each) => each.id !== id)) leaveWeightsOf(id);
  }

  return {
    variantsChanged() {
      clearTimeout(reading);
      reading = setTimeout(() => void read(), groupMs);
    },
    showVariant(id) {
      const variant = getState().variants.find((each) => each.id === id);
      if (variant) plans.select({ plan: variant.plan, ownWeights: hasOwnWeights(variant) ? id : null });
    },
    async discardVariant(id) {
      await tasks.command('benchmark', async () => {
        await lab.discard(id);
        leaveWeightsOf(id);
        await refreshVariants(context);
        saving.soon();
      });
    },
  };
}
