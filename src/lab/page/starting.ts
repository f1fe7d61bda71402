/** @file What the page opens by itself when it starts, and what it asks a person first. */
import { hubEndpoint } from '../../shards/sources/hubRepository';
import { type SourceId, sourceId, storedAs } from '../../shards/sources/sourceId';
import { fromFailure } from '../contract/failure';
import { adoptScriptLoads, loadModel, watchForSilence } from './commands';
import { lab, onRestart, onSuperseded, scriptIsInCharge } from './lab';
import { linkOf, sameModel } from './links';
import { type EndedOpening, lateWord, mustAsk, openings } from './opening';
import { forgetModel, forgetSource, forgetUnfinished, hubChoice, lastSource, refreshStorage } from './sources';
import { type LabState, labStore } from './store';
import { failTask } from './tasks';

const { getState, setState } = labStore;

/** Opens the worker and finds the device; then the demo or the last model, its calibration and scores, without a click. */
export async function boot(): Promise<void> {
  onSuperseded((failure) => failTask('load', fromFailure(failure)));
  onRestart((reason) => setState({ interruption: { phase: 'restarted', reason } }));
  watchForSilence();
  try {
    await lab.ready;
    setState({ device: await lab.device(), stored: await lab.stored(), ready: true });
    adoptScriptLoads();
  } catch (thrown) {
    failTask('load', thrown);
    return;
  }
  if (scriptIsInCharge()) return;
  // `?model=` with nothing behind it opens no model: for scripts that bring their own.
  const asked = new URLSearchParams(location.search).get('model');
  if (asked === '') return;
  const last = lastSource();
  const { hub } = hubChoice();
  // A link to another model is no reason to ask: the one that ended a visit does not come back by it.
  const matters = ({ source, settled }: EndedOpening) => (asked === null ? !settled : sameModel(source, asked, hub));
  const doubtful = async (): Promise<EndedOpening[]> =>
    (await openings().ended()).filter((mark) => matters(mark) && mustAsk(mark, last));
  let ended = await doubtful();
  if (ended.some(({ left }) => !left)) {
    await lateWord();
    ended = await doubtful();
  }
  if (scriptIsInCharge()) return;
  if (ended.length > 0) {
    setState({ endedOpenings: ended });
    await refreshStorage();
  } else if (asked !== null) await openLink(asked);
  else await openLast(last);
}

/** A link opens the demo and what is stored, without a request to anybody; for anything else the page shows its card. */
async function openLink(asked: string): Promise<void> {
  try {
    const { hub } = hubChoice();
    const stored = storedAs(getState().stored, sourceId(asked, hub ?? hubEndpoint));
    const link = linkOf(asked, hub, 'link');
    if (link && !stored) setState({ link });
    else await loadModel(stored ? storedName(stored) : asked.trim(), { stored: stored !== null });
  } catch (thrown) {
    failTask('load', thrown);
    await refreshStorage();
  }
}

/** What was open last opens again where it is still stored: the page downloads nothing that nobody asked for now. */
async function openLast(last: string | null): Promise<void> {
  if (last !== null && last !== 'demo') {
    const link = linkIfGone(last);
    if (link) {
      setState({ link });
      return;
    }
    // What was open last may be unreadable since; the page still opens on something.
    // What is there answers at once; that a newer version lies at its address is said beside it.
    if ((await loadModel(last, { changed: 'stored' })) || scriptIsInCharge()) return;
  }
  await loadModel('demo');
}

function linkIfGone(last: string): ReturnType<typeof linkOf> {
  try {
    const { hub } = hubChoice();
    const stored = storedAs(getState().stored, sourceId(last, hub ?? hubEndpoint));
    return stored ? null : linkOf(last, hub, 'gone');
  } catch {
    return null; // loading it says what is wrong with it
  }
}

/** What names a stored model without asking which commit a branch means today. */
function storedName({ id, source }: { id: string; source: string }): string {
  return id.startsWith('files:') ? id : source;
}

/** A person wants the model that was opening when the last visit ended. */
export async function openAgain({ source }: EndedOpening): Promise<void> {
  dismiss();
  await loadModel(source);
}

/** A person wants the demo, rather than what ended the last visit or what a link names. */
export async function openDemoInstead(): Promise<void> {
  openings().settle(getState().endedOpenings);
  forgetSource();
  dismiss();
  leaveLink();
  await loadModel('demo');
}

/** Removes what is stored of a model whose opening ended a visit. The demo opens where nothing else is left to ask about. */
export async function forgetEnded(ended: EndedOpening): Promise<void> {
  const { hub } = hubChoice();
  const { stored, unfinished } = getState();
  const belongs = belongsTo(ended.source);
  for (const { id } of stored.filter(belongs)) await forgetModel(id);
  for (const { source } of unfinished.filter(belongs)) await forgetUnfinished(source);
  openings().forget([ended]);
  const last = lastSource();
  if (last !== null && sameModel(last, ended.source, hub)) forgetSource();
  const rest = getState().endedOpenings.filter(({ key }) => key !== ended.key);
  setState({ endedOpenings: rest });
  leaveLink();
  if (rest.length === 0 && ended.source !== 'demo') await loadModel('demo');
}

/** Bytes in this browser that forgetting the model would free. */
export function openingBytes(
  { source }: EndedOpening,
  { stored, unfinished }: Pick<LabState, 'stored' | 'unfinished'>,
): number {
  const belongs = belongsTo(source);
  const whole = stored.filter(belongs).map(({ storedBytes }) => storedBytes);
  const parts = unfinished.filter(belongs).map(({ bytes }) => bytes);
  return [...whole, ...parts].reduce((a, b) => a + b, 0);
}

/** Tells what is stored of this model, in this revision. */
function belongsTo(source: string): (model: { id: string; revision: string }) => boolean {
  let wanted: SourceId | null = null;
  try {
    wanted = sourceId(source, hubChoice().hub ?? hubEndpoint);
  } catch {
    wanted = null; // what can name no model has stored nothing
  }
  return (model) => wanted !== null && storedAs([model], wanted) !== null;
}

/** The page's address no longer names a model: a reload does not bring back what a person declined. */
function leaveLink(): void {
  const url = new URL(location.href);
  if (!url.searchParams.has('model')) return;
  url.searchParams.delete('model');
  history.replaceState(history.state, '', url);
}

function dismiss(): void {
  setState({ endedOpenings: [], link: null, preview: null });
}
