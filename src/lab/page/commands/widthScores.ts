/** @file Commands that choose width methods and measure their scores of heads and neurons. */
import type { WidthId } from '../../../importance/methods';
import { toPageScores } from '../widthScores';
import type { Context } from './context';

export interface WidthScoreCommands {
  /** Scores every head and neuron by a method. */
  measureWidth(method: WidthId): Promise<void>;
  /** Chooses the method that colours and orders heads and neurons; measures it if it is not measured yet. */
  chooseWidthMethod(method: WidthId): Promise<void>;
}

export interface WidthScoreSteps {
  /** Scores heads and neurons by the chosen method, where that is not done yet. */
  measureChosenWidth(): Promise<void>;
}

export function createWidthScoreCommands({
  lab,
  store,
  tasks,
  saving,
}: Pick<Context, 'lab' | 'store' | 'tasks' | 'saving'>): WidthScoreCommands & WidthScoreSteps {
  const { getState, setState } = store;

  async function measureWidth(method: WidthId): Promise<void> {
    const { model, calibration } = getState();
    const scores = await tasks.run(`width:${method}`, (task) => lab.widthImportance(method, task));
    if (!scores || getState().model !== model || getState().calibration !== calibration) return;
    setState(({ widthScores }) => ({ widthScores: { ...widthScores, [method]: toPageScores(scores) } }));
    saving.soon();
  }

  async function measureChosenWidth(): Promise<void> {
    const { widthMethod, widthScores, tasks: running } = getState();
    if (!widthScores[widthMethod] && running[`width:${widthMethod}`]?.phase !== 'running')
      await measureWidth(widthMethod);
  }

  return {
    measureWidth,
    measureChosenWidth,
    async chooseWidthMethod(widthMethod) {
      setState({ widthMethod });
      saving.soon();
      await measureChosenWidth();
    },
  };
}
