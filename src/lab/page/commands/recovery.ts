/** @file Commands of the card that asks about a model whose opening ended an earlier visit. */
import { type SourceId, sourceId, storedAs } from '../../../shards/sources/sourceId';
import { sameModel } from '../links';
import type { EndedOpening } from '../opening';
import type { LabState } from '../store';
import type { Context } from './context';
import { endpointOf, hubChoice } from './hub';
import type { OpeningCommands } from './opening';
import type { StorageCommands } from './storage';

export interface RecoveryCommands {
  /** Opens the model all the same. */
  openAgain(ended: EndedOpening): Promise<void>;
  /** Opens the demo instead of that model, or of a linked one. */
  openDemoInstead(): Promise<void>;
  /** Removes the model's stored files. The demo opens if the page asks about no other. */
  forgetEnded(ended: EndedOpening): Promise<void>;
  /** Bytes in this browser that removing the model would free. */
  openingBytes(ended: EndedOpening, lists: Pick<LabState, 'stored' | 'unfinished'>): number;
}

export function createRecoveryCommands(
  { browser, store }: Context,
  storage: StorageCommands,
  { loadModel }: OpeningCommands,
): RecoveryCommands {
  const { getState, setState } = store;

  const dismiss = (): void => setState({ endedOpenings: [], link: null, preview: null });

  /** Finds the stored copies of this model, in this revision. */
  function belongsTo(source: string): (model: { id: string; revision: string }) => boolean {
    let wanted: SourceId | null = null;
    try {
      wanted = sourceId(source, endpointOf(browser));
    } catch {
      wanted = null; // what names no model has stored nothing
    }
    return (model) => wanted !== null && storedAs([model], wanted) !== null;
  }

  return {
    async openAgain({ source }) {
      dismiss();
      await loadModel(source);
    },
    async openDemoInstead() {
      browser.openings.settle(getState().endedOpenings);
      browser.rememberSource(null);
      dismiss();
      browser.removeModelFromAddress();
      await loadModel('demo');
    },
    async forgetEnded(ended) {
      const { hub } = hubChoice(browser);
      const { stored, unfinished } = getState();
      const belongs = belongsTo(ended.source);
      for (const { id } of stored.filter(belongs)) await storage.forgetModel(id);
      for (const { source } of unfinished.filter(belongs)) await storage.forgetUnfinished(source);
      browser.openings.forget([ended]);
      const last = browser.lastSource();
      if (last !== null && sameModel(last, ended.source, hub)) browser.rememberSource(null);
      const rest = getState().endedOpenings.filter(({ key }) => key !== ended.key);
      setState({ endedOpenings: rest });
      browser.removeModelFromAddress();
      if (rest.length === 0 && ended.source !== 'demo') await loadModel('demo');
    },
    openingBytes({ source }, { stored, unfinished }) {
      const belongs = belongsTo(source);
      const whole = stored.filter(belongs).map(({ storedBytes }) => storedBytes);
      const parts = unfinished.filter(belongs).map(({ bytes }) => bytes);
      return [...whole, ...parts].reduce((a, b) => a + b, 0);
    },
  };
}
