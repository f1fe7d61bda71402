/** @file Commands that run searches. Each keeps its result, even if it is cancelled. */

import type { SearchId } from '../../../importance/methods';
import type { EvolutionChoice, SearchProgress } from '../../../importance/search/found';
import type { Barriers } from '../../../importance/types';
import type { Scores } from '../../../report/scores';
import type { SearchResult } from '../../../report/searches';
import type { ImportanceOptions } from '../../contract/types';
import type { TaskKey } from '../store';
import type { Context } from './context';
import type { Task } from './tasks';

/** The user's choices for a greedy search. */
export type SearchChoice = Pick<ImportanceOptions, 'barriers'>;

/** The user's choices for an evolutionary search. */
export type EvolutionAsked = Partial<Omit<EvolutionChoice, 'unit'>> &
  Pick<EvolutionChoice, 'unit'> & { readonly barriers: Barriers };

export interface SearchCommands {
  /** Runs a greedy search to its end. A search that is cancelled or fails keeps the steps that it had found. */
  runSearch(search: SearchId, choice?: SearchChoice): Promise<void>;
  /** Runs EvoPress. A search that is cancelled or fails keeps the best set that it had found. */
  runEvolution(asked: EvolutionAsked): Promise<void>;
}

/** How a search's result came about. */
type Circumstances = Pick<SearchResult, 'complete' | 'plus' | 'calibration' | 'milliseconds' | 'device'>;

export function createSearchCommands({ lab, store, tasks, saving }: Context): SearchCommands {
  const { getState, setState } = store;

  /**
   * Runs a search as the task of `key`. `save` gets the search's scores, or the steps so far if it stopped. It is not
   * called where there is neither, nor after the model or the calibration has changed.
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
    const scores = await tasks.run(key, ({ signal, onProgress }) =>
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
    if (scores) setState(({ searchScores }) => ({ searchScores: { ...searchScores, [scores.criterion]: scores } }));
    saving.soon();
  }

  return {
    runSearch: (search, choice = {}) =>
      searching(
        `search:${search}`,
        (task) => lab.importance(search, { ...choice, plus: getState().plus, ...task }),
        ({ found }) => (found?.length ? found : undefined),
        (found, how, scores) => {
          const steps = scores?.steps ?? [...(found ?? [])];
          setState(({ searches }) => ({ searches: { ...searches, [search]: { steps, ...how, ...choice } } }));
        },
      ),

    runEvolution: ({ barriers, ...asked }) =>
      searching(
        'evolution',
        (task) => lab.importance('evopress', { ...asked, barriers, plus: getState().plus, ...task }),
        ({ evolution }) => evolution,
        (found, how, scores) => {
          const { choice, perplexity = null, passes = null } = scores?.evolution ?? {};
          const { removed, trace } = scores?.evolution ?? found ?? { removed: [], trace: [] };
          setState({ evolution: { removed, trace, asked: choice ?? asked, perplexity, passes, barriers, ...how } });
        },
      ),
  };
}
