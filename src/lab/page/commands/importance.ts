/** @file Commands that choose and measure criteria. */

import { type Criterion, criterionOf, scoreMethods, takes } from '../../../importance/methods';
import type { SubBlockKind } from '../../../model/unit';
import type { ImportanceOptions } from '../../contract/types';
import type { LabState, TaskKey, UnitMode } from '../store';
import { joined } from '../subBlocks';
import type { Context } from './context';
import type { Task } from './tasks';
import type { WidthScoreSteps } from './widthScores';

export interface ImportanceCommands {
  /** Scores the blocks by a criterion. */
  measure(criterion: Criterion): Promise<void>;
  /**
   * Scores the blocks by the criteria that are not measured yet. One combined pass serves most; each of the others takes
   * passes of its own. What was measured stays when the task is cancelled.
   */
  measureAll(criteria: readonly Criterion[]): Promise<void>;
  /** Scores every attention and every MLP by a criterion; the attentions' scores stay when the MLPs are cancelled. */
  measureSubBlocks(criterion: Criterion): Promise<void>;
  /** Chooses the criterion that colours the blocks and proposes plans; measures it if it is not measured yet. */
  chooseCriterion(criterion: Criterion): Promise<void>;
  /** Chooses what a click removes; measures the chosen criterion of these units if it is not measured yet. */
  chooseUnits(unitMode: UnitMode): Promise<void>;
  choosePlus(plus: boolean): void;
}

/** Measurements that other stages start after they changed what scores belong to. */
export interface ImportanceSteps {
  /** Scores the blocks by the criteria that cost little, where that is not done yet. */
  measureFast(): Promise<void>;
  /** Scores the chosen units by the chosen criterion, where that is not done yet. */
  measureChosen(): Promise<void>;
}

export function createImportanceCommands(
  context: Context,
  { measureChosenWidth }: WidthScoreSteps,
): ImportanceCommands & ImportanceSteps {
  const { lab, store, tasks, saving } = context;
  const { getState, setState } = store;

  async function measure(criterion: Criterion): Promise<void> {
    const { model } = getState();
    const scores = await tasks.run(`importance:${criterion}`, (task) => lab.importance(criterion, task));
    if (!scores || getState().model !== model) return;
    setState((state) => ({ scores: { ...state.scores, [criterion]: scores } }));
    saving.soon();
  }

  async function measureAll(criteria: readonly Criterion[]): Promise<void> {
    const { model } = getState();
    await tasks.run('survey', async ({ signal, onProgress }) => {
      const task: Task = { signal, onProgress: (progress) => onProgress({ ...progress, stage: 'Measuring' }) };
      const add = (found: LabState['scores']): void => {
        setState(({ scores }) => ({ scores: { ...found, ...scores } }));
        saving.soon();
      };
      const isOver = (): boolean => signal.aborted || getState().model !== model;
      const isMissing = (criterion: Criterion): boolean =>
        !getState().scores[criterion] && getState().tasks[`importance:${criterion}`]?.phase !== 'running';
      // The combined pass is worth its backward pass if a criterion that needs that is missing.
      if (scoreMethods.some(({ id, combined, quick }) => combined && !quick && isMissing(id))) {
        const found = await lab.survey(task);
        if (isOver()) return;
        add(found);
      }
      for (const criterion of criteria.filter(isMissing)) {
        const scores = await lab.importance(criterion, task);
        if (isOver()) return;
        add({ [criterion]: scores });
      }
    });
  }

  async function measureSubBlocks(criterion: Criterion): Promise<void> {
    const { model } = getState();
    await tasks.run(`subBlocks:${criterion}`, async (task) => {
      const parts: readonly { part: SubBlockKind; stage: string }[] = [
        { part: 'attention', stage: 'Attention' },
        { part: 'mlp', stage: 'MLP' },
      ];
      for (const { part, stage } of parts) {
        if (getState().subBlockScores[criterion]?.[part]) continue;
        const scores = await lab.importance(criterion, {
          ...optionsFor(criterion, part),
          signal: task.signal,
          onProgress: (progress) => task.onProgress({ ...progress, stage }),
        });
        if (task.signal.aborted || getState().model !== model) return;
        setState(({ subBlockScores }) => ({
          subBlockScores: { ...subBlockScores, [criterion]: { ...subBlockScores[criterion], [part]: scores } },
        }));
        saving.soon();
      }
    });
  }

  /** One seed would shuffle the MLPs as it shuffles the attentions, so that both sub-blocks of a block went together. */
  function optionsFor(criterion: Criterion, part: SubBlockKind): ImportanceOptions {
    if (!takes(criterionOf(criterion), 'seed')) return { unit: part };
    return { unit: part, seed: (getState().calibration?.seed ?? 0) + (part === 'mlp' ? 1 : 0) };
  }

  async function measureFast(): Promise<void> {
    const { device } = getState();
    const quick = scoreMethods.filter((method) => method.quick && (device || method.needs !== 'gpu'));
    for (const { id } of quick) if (!getState().scores[id]) await measure(id);
  }

  async function measureChosen(): Promise<void> {
    const { unitMode, criterion, subBlockCriterion, scores, subBlockScores } = getState();
    if (unitMode === 'width') return measureChosenWidth();
    const isIdle = (key: TaskKey): boolean => getState().tasks[key]?.phase !== 'running';
    if (unitMode === 'blocks') {
      if (!scores[criterion] && isIdle(`importance:${criterion}`)) await measure(criterion);
    } else if (!joined(subBlockScores[subBlockCriterion] ?? {}) && isIdle(`subBlocks:${subBlockCriterion}`)) {
      await measureSubBlocks(subBlockCriterion);
    }
  }

  return {
    measure,
    measureAll,
    measureSubBlocks,
    measureFast,
    measureChosen,
    async chooseCriterion(criterion) {
      setState(getState().unitMode === 'blocks' ? { criterion } : { subBlockCriterion: criterion });
      saving.soon();
      await measureChosen();
    },
    async chooseUnits(unitMode) {
      setState({ unitMode });
      saving.soon();
      if (getState().model) await measureChosen();
    },
    choosePlus(plus) {
      setState({ plus });
      saving.soon();
    },
  };
}
