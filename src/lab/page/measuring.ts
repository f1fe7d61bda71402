/** @file The commands that score units and run searches: each keeps what it measured, even when it is cancelled. */

import type { Criterion, SearchId } from '../../importance/methods';
import type { EvolutionChoice, SearchProgress } from '../../importance/search/found';
import type { Barriers } from '../../importance/types';
import type { SubBlockKind } from '../../model/unit';
import type { Scores } from '../../report/scores';
import type { SearchResult } from '../../report/searches';
import type { ImportanceOptions } from '../contract/types';
import { lab } from './lab';
import { saveSoon } from './saved';
import { type LabState, labStore, type TaskKey } from './store';
import { runTask, type Task } from './tasks';

const { getState, setState } = labStore;

/** Scores the blocks by a criterion (once; the result stays). */
export async function measure(criterion: Criterion): Promise<void> {
  const { model } = getState();
  const key: TaskKey = `importance:${criterion}`;
  const scores = await runTask(key, (task) => lab.importance(criterion, task));
  if (!scores || getState().model !== model) return;
  setState((state) => ({ scores: { ...state.scores, [criterion]: scores } }));
  saveSoon();
}

/**
 * Scores the blocks by those of the criteria that are not measured yet: as many as one pass over the model serves in one,
 * then the others each for itself. What was found stays when it is cancelled.
 */
export async function measureAll(criteria: readonly Criterion[]): Promise<void> {
  const { model } = getState();
  await runTask('survey', async ({ signal, onProgress }) => {
    const task: Task = { signal, onProgress: (progress) => onProgress({ ...progress, stage: 'Measuring' }) };
    const saveFound = (found: LabState['scores']): void => {
      setState(({ scores }) => ({ scores: { ...found, ...scores } }));
      saveSoon();
    };
    const over = (): boolean => signal.aborted || getState().model !== model;
    const missing = (criterion: Criterion): boolean =>
      !getState().scores[criterion] && getState().tasks[`importance:${criterion}`]?.phase !== 'running';
    if (missing('taylor')) {
      const found = await lab.survey(task);
      if (over()) return;
      saveFound(found);
    }
    for (const criterion of criteria.filter(missing)) {
      const scores = await lab.importance(criterion, task);
      if (over()) return;
      saveFound({ [criterion]: scores });
    }
  });
}

/** Scores every attention and every MLP by a criterion; the attentions stay when the MLPs are cancelled. */
export async function measureSubBlocks(criterion: Criterion): Promise<void> {
  const { model } = getState();
  await runTask(`halves:${criterion}`, async (task) => {
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
      saveSoon();
    }
  });
}

/** One seed would shuffle the MLPs as it shuffles the attentions, and both halves of a block would go together. */
function optionsFor(criterion: Criterion, part: SubBlockKind): ImportanceOptions {
  if (criterion !== 'random') return { unit: part };
  return { unit: part, seed: (getState().calibration?.seed ?? 0) + (part === 'mlp' ? 1 : 0) };
}

/** What a person may choose about a greedy search. */
export type SearchChoice = Pick<ImportanceOptions, 'barriers'>;

/** Runs a greedy search to its end; cancelled or failed on the way, it leaves the steps that it had found. */
export async function runSearch(search: SearchId, choice: SearchChoice = {}): Promise<void> {
  await searching(
    `search:${search}`,
    (task) => lab.importance(search, { ...choice, plus: getState().plus, ...task }),
    ({ found }) => (found?.length ? found : undefined),
    (found, how, scores) => {
      const steps = scores?.steps ?? [...(found ?? [])];
      setState(({ searches }) => ({ searches: { ...searches, [search]: { steps, ...how, ...choice } } }));
    },
  );
}

/** What a person chooses about an evolutionary search. */
export type EvolutionAsked = Partial<Omit<EvolutionChoice, 'unit'>> &
  Pick<EvolutionChoice, 'unit'> & { readonly barriers: Barriers };

/** Runs EvoPress; cancelled or failed on the way, it leaves the best set that it had found. */
export async function runEvolution({ barriers, ...asked }: EvolutionAsked): Promise<void> {
  await searching(
    'evolution',
    (task) => lab.importance('evopress', { ...asked, barriers, plus: getState().plus, ...task }),
    ({ evolution }) => evolution,
    (found, how, scores) => {
      const { choice, perplexity = null, passes = null } = scores?.evolution ?? {};
      const { removed, trace } = scores?.evolution ?? found ?? { removed: [], trace: [] };
      setState({ evolution: { removed, trace, asked: choice ?? asked, perplexity, passes, barriers, ...how } });
    },
  );
}

/** How a search's result came about. */
type Circumstances = Pick<SearchResult, 'complete' | 'plus' | 'calibration' | 'milliseconds' | 'device'>;

/**
 * Runs a search as the task of `key`. `keep` gets its scores, or what it had found when it was stopped; it is not called
 * where there is neither, or where they would stand beside the numbers of another calibration or model.
 */
async function searching<T>(
  key: TaskKey,
  run: (task: Task) => Promise<Scores>,
  foundIn: (progress: SearchProgress) => T | undefined,
  save: (found: T | undefined, how: Circumstances, scores: Scores | undefined) => void,
): Promise<void> {
  const { model, plus, calibration, device } = getState();
  if (!model) return;
  let found: T | undefined;
  const started = performance.now();
  const scores = await runTask(key, ({ signal, onProgress }) =>
    run({
      signal,
      onProgress: (progress) => {
        found = foundIn(progress) ?? found;
        onProgress(progress);
      },
    }),
  );
  const now = getState();
  if (now.model !== model || now.calibration?.hash !== calibration?.hash) return;
  if (!scores && found === undefined) return;
  const label = scores?.device ?? {
    adapter: device?.adapter ?? 'CPU',
    software: device?.software ?? true,
    runtime: 'WGSL engine',
  };
  save(
    found,
    {
      complete: scores !== undefined,
      plus,
      calibration: scores?.calibration ?? calibration,
      milliseconds: scores?.milliseconds ?? performance.now() - started,
      device: label,
    },
    scores,
  );
  saveSoon();
}
