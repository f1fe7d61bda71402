/** @file Commands about texts: which there are, adding one, and choosing what to calibrate and evaluate on. */
import type { CalibrationInfo } from '../../../report/texts';
import type { CorpusInfo, TextSource } from '../../contract/types';
import { baseSelection } from '../selection';
import type { CalibrationChoice, EvaluationChoice, TaskKey } from '../store';
import type { Context } from './context';
import { hubOverride } from './hub';
import type { ImportanceCommands, ImportanceSteps } from './importance';
import { heldOut, type LiveSteps } from './live';
import { refreshVariants } from './variantList';

export interface TextCommands {
  /** Reads the list of texts that can be chosen. */
  refreshTexts(): Promise<void>;
  /** Reads and stores a text of the user; resolves to what it is then called. */
  addText(source: TextSource): Promise<CorpusInfo | undefined>;
  /** Removes a stored text. Its numbers stay; later measurements use the built-in text. */
  forgetText(name: string): Promise<void>;
  /** Calibrates on another text and measures the shown criteria again; the old text stays until the new one is read. */
  chooseCalibration(choice: CalibrationChoice): Promise<void>;
  /** Measures perplexities on another text from now on; the page marks numbers on the old one. */
  chooseEvaluation(choice: EvaluationChoice): Promise<void>;
}

export interface TextSteps {
  /** Calibrates on the chosen text; if the open model cannot use it, on the built-in one, and the failure stays to be read. */
  calibrateAsChosen(): Promise<CalibrationInfo | undefined>;
  /** Keeps the calibration; scores and searches of other tokens go. */
  adoptCalibration(calibrated: CalibrationInfo): void;
  /** If the chosen text gave no perplexity of the base, measures it on the built-in text. */
  evaluateOnBuiltInIfNeeded(): Promise<void>;
}

export function createTextCommands(
  context: Context,
  importance: ImportanceCommands & ImportanceSteps,
  live: LiveSteps,
): TextCommands & TextSteps {
  const { lab, browser, store, tasks, saving } = context;
  const { getState, setState } = store;

  async function refreshTexts(): Promise<void> {
    try {
      setState({ corpora: await lab.texts() });
    } catch (thrown) {
      console.warn('The list of texts could not be read.', thrown);
    }
  }

  const calibrate = (key: TaskKey, choice: CalibrationChoice): Promise<CalibrationInfo | undefined> =>
    tasks.run(key, (task) => lab.calibrate({ ...choice, ...hubOverride(browser), ...task }));

  async function calibrateAsChosen(): Promise<CalibrationInfo | undefined> {
    const { calibrationChoice: choice } = getState();
    const calibrated = await calibrate('calibrate', choice);
    if (calibrated || choice.corpus === undefined || !moveFailure('calibrate', 'text:calibration')) return calibrated;
    setState({ calibrationChoice: {} });
    return calibrate('calibrate', {});
  }

  async function evaluateOnBuiltInIfNeeded(): Promise<void> {
    const { base, evaluationChoice } = getState();
    if (base || evaluationChoice.corpus === undefined || !moveFailure('live', 'text:evaluation')) return;
    setState({ evaluationChoice: {} });
    await live.measureLive();
  }

  /** Shows a task's failure under another key; false where there is none. */
  function moveFailure(from: TaskKey, to: TaskKey): boolean {
    const task = getState().tasks[from];
    if (task?.phase !== 'failed') return false;
    setState(({ tasks: all }) => ({ tasks: { ...all, [from]: { phase: 'idle' }, [to]: task } }));
    return true;
  }

  function adoptCalibration(calibrated: CalibrationInfo): void {
    if (calibrated.hash === getState().calibration?.hash) return;
    setState({
      calibration: calibrated,
      scores: {},
      subBlockScores: {},
      widthScores: {},
      searches: {},
      evolution: null,
      searchScores: {},
    });
  }

  async function calibrateOn(choice: CalibrationChoice): Promise<void> {
    const { model, device } = getState();
    if (!model) return;
    const calibrated = await calibrate('text:calibration', choice);
    void refreshTexts();
    if (!calibrated || getState().model !== model) return;
    tasks.cancelThese((key) =>
      /^(importance|subBlocks|width|search):|^(survey|evolution|best|profile|calibrate)$/.test(key),
    );
    setState({ calibrationChoice: choice });
    adoptCalibration(calibrated);
    saving.soon();
    await importance.measureFast();
    await importance.measureChosen();
    if (device && !getState().scores.ppl && getState().calibration === calibrated) await importance.measure('ppl');
  }

  async function evaluateOn(choice: EvaluationChoice): Promise<void> {
    const { model } = getState();
    if (!model) return;
    const base = await tasks.run('text:evaluation', (task) =>
      lab.perplexity('base', { ...task, ...heldOut(context, choice) }),
    );
    void refreshTexts();
    if (!base || getState().model !== model) return;
    tasks.cancelThese((key) => key === 'live' || key === 'benchmark' || key === 'compare' || key === 'best');
    live.clear();
    live.know(baseSelection(model.id), base);
    setState({ evaluationChoice: choice, base, live: null });
    await refreshVariants(context);
    if (getState().model === model) await live.measureLive();
  }

  const chooseCalibration: TextCommands['chooseCalibration'] = async (choice) => {
    await tasks.command('text:calibration', () => calibrateOn(choice));
  };
  const chooseEvaluation: TextCommands['chooseEvaluation'] = async (choice) => {
    await tasks.command('text:evaluation', () => evaluateOn(choice));
  };

  return {
    refreshTexts,
    async addText(source) {
      const added = await tasks.run('text:add', (task) => lab.addText(source, task));
      await refreshTexts();
      return added;
    },
    async forgetText(name) {
      await tasks.command('text:add', () => lab.forgetText(name));
      await refreshTexts();
      const { calibrationChoice, evaluationChoice } = getState();
      if (calibrationChoice.corpus === name) await chooseCalibration({});
      if (evaluationChoice.corpus === name) await chooseEvaluation({});
    },
    chooseCalibration,
    chooseEvaluation,
    calibrateAsChosen,
    adoptCalibration,
    evaluateOnBuiltInIfNeeded,
  };
}
