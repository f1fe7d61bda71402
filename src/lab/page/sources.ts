/** @file The commands around what could be opened: what is stored, what the Hub has, and what was open last. */
import { LabError } from '../../errors';
import { hubEndpoint } from '../../shards/sources/hubRepository';
import { parseHubSource } from '../../shards/sources/hubSource';
import { toFailure } from '../contract/failure';
import { type HubChoice, hubOfAddress } from '../contract/hubChoice';
import { fetchCatalogue } from './catalogue';
import { lab } from './lab';
import { drop } from './saved';
import { labStore } from './store';
import { asCommand, failTask, runTask } from './tasks';

const { getState, setState } = labStore;

const sourceKey = 'secateur.source';

/** The model that was open last, when it can be named again (files from disk live under their stored id). */
export function lastSource(): string | null {
  try {
    return localStorage.getItem(sourceKey);
  } catch {
    return null; // storage switched off: the demo then
  }
}

export function rememberSource(source: string): void {
  try {
    localStorage.setItem(sourceKey, source);
  } catch {
    return; // storage switched off: nothing to remember with
  }
}

/** The Hub that the page's address names, and what it may not name. */
export function hubChoice(): HubChoice {
  return hubOfAddress(location.search, location.hostname);
}

/** The same as an option of `lab`'s methods. */
export function hubOverride(): { hub?: string } {
  const { hub } = hubChoice();
  return hub === null ? {} : { hub };
}

/** The source is not opened by itself at the next visit. */
export function forgetSource(): void {
  try {
    localStorage.removeItem(sourceKey);
  } catch {
    return; // storage switched off: nothing was remembered
  }
}

/** Looks a model up, to be shown before it is downloaded. */
export async function previewModel(source: string, options: { token?: string } = {}): Promise<void> {
  setState({ preview: null });
  const preview = await runTask('preview', (task) => lab.preview(source, { ...task, ...hubOverride(), ...options }));
  if (!preview) return;
  await refreshStorage(); // the card compares with what is stored and free now
  setState({ preview });
}

/** A model on the Hub, or what was meant for one: a person sees what it costs before it is downloaded. */
export function isOnHub(source: string): boolean {
  try {
    return parseHubSource(source.trim(), hubOverride().hub ?? hubEndpoint) !== null;
  } catch {
    return true; // looking it up says what is wrong with it
  }
}

export function closePreview(): void {
  setState({ preview: null });
}

/** What the storage panel shows, and the catalogue when it is not there yet. */
export async function refreshStorage(): Promise<void> {
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
    setState({ catalogue: await fetchCatalogue(), catalogueFailure: null });
  } catch (thrown) {
    setState({ catalogueFailure: toFailure(thrown) });
  }
}

/** Asks the browser not to clear by itself what is stored; it may decline. */
export async function keepStored(): Promise<void> {
  await asCommand('load', async () => setState({ storage: await lab.keepStored() }));
}

/** Removes what an unfinished download has stored. */
export async function forgetUnfinished(source: string): Promise<void> {
  try {
    await lab.forgetUnfinished(source);
  } catch (thrown) {
    failTask('load', thrown);
  }
  await refreshStorage();
}

/** Removes a stored model's bytes. */
export async function forgetModel(id: string): Promise<void> {
  try {
    const model = getState().stored.find((each) => each.id === id);
    await lab.forget(id);
    await drop(id);
    const last = lastSource();
    if (last !== null && (last === id || last === model?.source)) forgetSource();
  } catch (thrown) {
    // Another tab was faster: the list shows it.
    if (!(thrown instanceof LabError && thrown.code === 'not-found')) failTask('load', thrown);
  }
  await refreshStorage();
}
