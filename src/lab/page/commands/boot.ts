/** @file The start of a visit: which model the page opens by itself, and which questions it asks first. */
import { sourceId, storedAs } from '../../../shards/sources/sourceId';
import { fromFailure } from '../../contract/failure';
import { linkOf, sameModel } from '../links';
import { type EndedOpening, mustAsk } from '../opening';
import type { AddressSteps } from './address';
import type { Context } from './context';
import { endpointOf, hubChoice } from './hub';
import type { OpeningCommands, OpeningSteps } from './opening';
import type { StorageCommands } from './storage';
import type { VariantSteps } from './variants';

export interface BootCommands {
  /** Starts the laboratory and opens the linked model, the last one, or the demo, with its first results. */
  boot(): Promise<void>;
}

export interface BootSteps {
  /** Starts the laboratory without a model; once. Resolves to false where it could not: the state then says why. */
  start(): Promise<boolean>;
}

export function createBoot(
  { lab, worker, browser, store, tasks }: Context,
  storage: StorageCommands,
  opening: OpeningCommands & OpeningSteps,
  { variantsChanged }: VariantSteps,
  address: AddressSteps,
): BootCommands & BootSteps {
  const { getState, setState } = store;
  let started: Promise<boolean> | null = null;

  function start(): Promise<boolean> {
    started ??= startOnce();
    return started;
  }

  async function startOnce(): Promise<boolean> {
    worker.onSuperseded((failure) => tasks.fail('load', fromFailure(failure)));
    worker.onRestart((reason) => setState({ interruption: { phase: 'restarted', reason } }));
    worker.onVariantsChange(variantsChanged);
    worker.onSilence((silent) => tasks.noteSilence(silent));
    try {
      await lab.ready;
      setState({ device: await lab.device(), stored: await lab.stored(), ready: true });
      worker.onScriptLoad((model) => void opening.adopt(model).then(variantsChanged));
      return true;
    } catch (thrown) {
      tasks.fail('load', thrown);
      return false;
    }
  }

  async function boot(): Promise<void> {
    if (!(await start()) || worker.scriptIsInCharge()) return;
    // A report that was run again in this tab has opened its model, or is about to.
    if (getState().model !== null || getState().tasks.reproduce?.phase === 'running') return;
    // `?model=` with nothing behind it opens no model: for scripts that bring their own.
    const asked = new URLSearchParams(browser.address().search).get('model');
    if (asked === '') return;
    address.begin();
    // After a reload the address is the page's own, and its model is the one that this tab had open.
    const isLink = asked !== null && !browser.isOwnAddress();
    const ended = await doubtfulOpenings(isLink ? asked : null, browser.lastSource());
    if (worker.scriptIsInCharge()) return;
    if (ended.length > 0) {
      setState({ endedOpenings: ended });
      await storage.refreshStorage();
    } else if (isLink) await openLink(asked);
    else await openLast(asked ?? browser.lastSource());
  }

  /** Openings that ended an earlier visit, where the page asks before it opens such a model again. */
  async function doubtfulOpenings(asked: string | null, last: string | null): Promise<EndedOpening[]> {
    const { hub } = hubChoice(browser);
    // A link to another model is no reason to ask: it does not open the model that ended a visit.
    const matters = ({ source, settled }: EndedOpening): boolean =>
      asked === null ? !settled : sameModel(source, asked, hub);
    const doubtful = async (): Promise<EndedOpening[]> =>
      (await browser.openings.ended()).filter((mark) => matters(mark) && mustAsk(mark, last));
    const ended = await doubtful();
    if (!ended.some(({ left }) => !left)) return ended;
    await browser.lateWord();
    return doubtful();
  }

  /** A link opens the demo and stored models, without a request to any server; for others the page shows a card. */
  async function openLink(asked: string): Promise<void> {
    try {
      const stored = storedAs(getState().stored, sourceId(asked, endpointOf(browser)));
      const link = linkOf(asked, hubChoice(browser).hub, 'link');
      if (link && !stored) setState({ link });
      else await opening.loadModel(stored ? storedName(stored) : asked.trim(), { stored: stored !== null });
    } catch (thrown) {
      tasks.fail('load', thrown);
      await storage.refreshStorage();
    }
  }

  /** The last model opens again where it is still stored: the page downloads nothing by itself. */
  async function openLast(last: string | null): Promise<void> {
    if (last !== null && last !== 'demo') {
      const link = linkIfGone(last);
      if (link) {
        setState({ link });
        return;
      }
      // The stored copy opens at once; the page says beside it that its server has a newer version. A copy that cannot
      // be read any more makes way for the demo.
      if ((await opening.loadModel(last, { changed: 'stored' })) || worker.scriptIsInCharge()) return;
    }
    await opening.loadModel('demo');
  }

  function linkIfGone(last: string): ReturnType<typeof linkOf> {
    try {
      const stored = storedAs(getState().stored, sourceId(last, endpointOf(browser)));
      return stored ? null : linkOf(last, hubChoice(browser).hub, 'gone');
    } catch {
      return null; // loading it says what is wrong with it
    }
  }

  return { boot, start };
}

/** A name of a stored model that needs no request to find the commit of a branch. */
function storedName({ id, source }: { id: string; source: string }): string {
  return id.startsWith('files:') ? id : source;
}
