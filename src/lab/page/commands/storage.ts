/** @file Commands about models that can be opened: stored models, unfinished downloads, the catalogue, a preview. */
import { LabError } from '../../../errors';
import { parseHubSource } from '../../../shards/sources/hubSource';
import { toFailure } from '../../contract/failure';
import type { HubChoice } from '../../contract/hubChoice';
import type { Context } from './context';
import { endpointOf, hubChoice, hubOverride } from './hub';

export interface StorageCommands {
  /** Reads the lists of the storage panel, and the catalogue where it is not there yet. */
  refreshStorage(): Promise<void>;
  /** Asks the browser to keep stored models when it needs room; it may decline. */
  keepStored(): Promise<void>;
  /** Removes a stored model with its numbers. */
  forgetModel(id: string): Promise<void>;
  /** Removes the stored part of an unfinished download. */
  forgetUnfinished(source: string): Promise<void>;
  /** Looks up a model and shows its facts before it is downloaded. */
  previewModel(source: string, options?: { token?: string }): Promise<void>;
  closePreview(): void;
  /** Whether a source names a model on the Hub, or was meant to: the user sees its size before it is downloaded. */
  isOnHub(source: string): boolean;
  /** The Hub that the page's address names, and which addresses are refused. */
  hubChoice(): HubChoice;
}

export function createStorageCommands({ lab, browser, store, tasks }: Context): StorageCommands {
  const { getState, setState } = store;

  async function refreshStorage(): Promise<void> {
    try {
      const [stored, unfinished, storage] = await Promise.all([lab.stored(), lab.unfinished(), lab.storage()]);
      setState({ stored, unfinished, storage });
    } catch (thrown) {
      console.warn('The lists of models could not be read.', thrown);
    }
    if (getState().catalogue.length === 0) await refreshCatalogue();
  }

  async function refreshCatalogue(): Promise<void> {
    try {
      setState({ catalogue: await browser.fetchCatalogue(), catalogueFailure: null });
    } catch (thrown) {
      setState({ catalogueFailure: toFailure(thrown) });
    }
  }

  async function forgetModel(id: string): Promise<void> {
    try {
      const model = getState().stored.find((each) => each.id === id);
      await lab.forget(id);
      await browser.sessions.drop(id);
      const last = browser.lastSource();
      if (last !== null && (last === id || last === model?.source)) browser.rememberSource(null);
    } catch (thrown) {
      // Where another tab was faster, the list shows it.
      if (!(thrown instanceof LabError && thrown.code === 'not-found')) tasks.fail('load', thrown);
    }
    await refreshStorage();
  }

  async function forgetUnfinished(source: string): Promise<void> {
    await tasks.command('load', () => lab.forgetUnfinished(source));
    await refreshStorage();
  }

  async function previewModel(source: string, options: { token?: string } = {}): Promise<void> {
    setState({ preview: null });
    const preview = await tasks.run('preview', (task) =>
      lab.preview(source, { ...task, ...hubOverride(browser), ...options }),
    );
    if (!preview) return;
    await refreshStorage(); // the card compares with what is stored and free now
    setState({ preview });
  }

  return {
    refreshStorage,
    async keepStored() {
      await tasks.command('load', async () => setState({ storage: await lab.keepStored() }));
    },
    forgetModel,
    forgetUnfinished,
    previewModel,
    closePreview: () => setState({ preview: null }),
    isOnHub(source) {
      try {
        return parseHubSource(source.trim(), endpointOf(browser)) !== null;
      } catch {
        return true; // the look-up says what is wrong with it
      }
    },
    hubChoice: () => hubChoice(browser),
  };
}
