/** @file Commands that edit, propose and repair plans of heads and neurons. The live numbers follow by themselves. */
import type { PruningPlan } from '../../../pruning/plan';
import type { RepairMethod } from '../../../pruning/repairMethods';
import type { WidthPlanRequest } from '../../contract/types';
import { sameSelection, selectionOf } from '../selection';
import type { WidthChoice } from '../store';
import { withHeadsToggled, withNeurons } from '../width';
import { scoresOfHeads } from '../widthScores';
import type { Context } from './context';
import type { LiveSteps } from './live';
import type { PlanSteps } from './plan';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

export interface WidthCommands {
  /** Removes or restores the heads of one unit of a block (`headUnits`); where that is impossible, nothing changes. */
  toggleHeads(layer: number, unit: number): void;
  /** Keeps so many neurons of a block by the scores of the chosen method; without scores nothing changes. */
  keepNeurons(layer: number, count: number): void;
  /** Chooses how plans of heads and neurons are proposed. */
  chooseWidth(choice: Partial<WidthChoice>): void;
  /** Removes heads and neurons by the chosen method until `ratio` (0…1) of all parameters is removed. */
  proposeWidth(ratio: number): Promise<void>;
  /** Makes a repaired variant of the edited plan and shows it. */
  repairPlan(method: RepairMethod): Promise<void>;
  /** Shows the edited plan with the model's weights again. */
  withoutRepair(): void;
}

/** What a width method is asked for. Options that other methods have are left out. */
export function widthRequest(width: WidthPlanRequest['width'], ratio: number, choice: WidthChoice): WidthPlanRequest {
  const { asPublished, sequential, roundTo, heads } = choice;
  return {
    ...{ width, ratio },
    ...(asPublished ? { asPublished } : {}),
    ...(width === 'wanda-sp' ? { sequential } : {}),
    ...(roundTo ? { roundTo } : {}),
    ...(heads ? { heads } : {}),
  };
}

export function createWidthCommands(context: Context, plans: PlanSteps, live: LiveSteps): WidthCommands {
  const { lab, store, tasks, saving } = context;
  const { getState, setState } = store;

  async function proposeWidth(ratio: number): Promise<void> {
    const { model, widthMethod, widthChoice } = getState();
    if (!model) return;
    const request = widthRequest(widthMethod, ratio, widthChoice);
    const proposed = await tasks.run('widthPlan', (task) => lab.plan(request, task));
    if (!proposed || getState().model !== model) return;
    // The page repairs a plan where the user asks for it, so that its perplexity is that of the plan.
    const { repair: _repair, ...plan } = proposed;
    showProposed(plan);
    saving.soon();
    if (widthMethod === 'flap' && widthChoice.biases) await repairPlan('flap-bias');
  }

  /** Where the proposal removes what is removed already, only its rule is new. */
  function showProposed(plan: PruningPlan): void {
    const before = selectionOf(getState());
    const proposed = { plan, ownWeights: null };
    if (before && sameSelection(before, proposed)) setState({ plan });
    else plans.select(proposed);
  }

  async function repairPlan(method: RepairMethod): Promise<void> {
    const plan = getState().plan;
    const { model } = getState();
    if (!model || !plan) return;
    const found = await tasks.run('repair', async (task) => {
      const before = await live.measure({ plan, ownWeights: null }, named('Perplexity before the repair', task));
      const variant = await lab.variant(plan, { repair: method, ...named('Repair', task) });
      return { before, variant };
    });
    if (!found || getState().model !== model) return;
    await tasks.command('repair', () => refreshVariants(context));
    const { before, variant } = found;
    setState({ repaired: { variant: variant.id, method, before } });
    saving.soon();
    if (isStill(plan)) plans.select({ plan, ownWeights: variant.id });
  }

  /** Whether the user has not edited the plan meanwhile. */
  const isStill = (plan: PruningPlan): boolean => selectionOf(getState())?.plan === plan;

  return {
    toggleHeads(layer, unit) {
      const { model, plan, widthMethod, widthScores } = getState();
      const sizes = model?.shape.layers[layer];
      if (!model || !plan || !sizes) return;
      const scores = widthScores[widthMethod];
      const edit = withHeadsToggled(
        plan,
        model.shape,
        layer,
        unit,
        scores ? scoresOfHeads(scores, sizes, layer) : null,
      );
      if ('plan' in edit) plans.edit(edit.plan);
    },
    keepNeurons(layer, count) {
      const { model, plan, widthMethod, widthScores } = getState();
      const scores = widthScores[widthMethod]?.neurons[layer];
      const edited = model && plan && scores && withNeurons(plan, model.shape, layer, count, scores);
      if (edited) plans.edit(edited);
    },
    chooseWidth(choice) {
      setState(({ widthChoice }) => ({ widthChoice: { ...widthChoice, ...choice } }));
      saving.soon();
    },
    proposeWidth,
    repairPlan,
    withoutRepair() {
      const { plan } = getState();
      if (plan) plans.select({ plan, ownWeights: null });
    },
  };
}

function named(stage: string, { signal, onProgress }: Task): Task {
  return { signal, onProgress: (progress) => onProgress({ ...progress, stage: progress.stage || stage }) };
}
