/** @file Isolates the page where its host does not, by a service worker, and keeps the page for visits without a network. */
import type { SentMessage, SiteMessage } from './messages';
import { type Shortfall, type SiteStatus, siteStatus } from './siteStatus';

/** The browser as this file uses it; a test scripts it. */
export interface HostBrowser {
  readonly isolated: boolean;
  readonly secure: boolean;
  readonly framed: boolean;
  /** The page's address. */
  readonly address: URL;
  /** Null where the browser has none. */
  readonly workers: Pick<ServiceWorkerContainer, 'controller' | 'register' | 'addEventListener'> | null;
  /** Remembers, for this tab, that the page was reloaded for its headers; throws where storage is switched off. */
  readonly reloads: { noted(): boolean; note(): void; forget(): void };
  reload(): void;
  /** Resolves after so many milliseconds. */
  wait(ms: number): Promise<void>;
}

/** So long the first visit waits for the service worker, before the page opens a model without wasm threads. */
const patienceMs = 4000;
/** The files for visits without a network are fetched when the page has settled. */
const settleMs = 5000;

/**
 * Registers the service worker where it helps. Resolves when the page may begin its work; never where the page is about to be loaded
 * again.
 * @param mayReload whether the page may be loaded once more for its headers: not where it only shows a report
 */
export async function startHost(
  browser: HostBrowser,
  { mayReload }: { mayReload: boolean },
  set: (status: Partial<SiteStatus>) => void = siteStatus.setState,
): Promise<void> {
  const { isolated, workers, address, reloads } = browser;
  const wasControlled = Boolean(workers?.controller);
  let wanted = false;

  const send = (worker: ServiceWorker | null, secateur: SiteMessage): void =>
    worker?.postMessage({ secateur } satisfies SentMessage);

  function watch(found: ServiceWorkerRegistration): void {
    const use = (): void => {
      wanted = true;
      if (found.waiting) send(found.waiting, 'activate');
      else browser.reload();
    };
    const look = (): void => {
      if (found.waiting && found.active) set({ newBuild: { use } });
    };
    look();
    found.addEventListener('updatefound', () => found.installing?.addEventListener('statechange', look));
    workers?.addEventListener('controllerchange', () => {
      if (wanted) browser.reload();
      else if (wasControlled) set({ newBuild: { use } }); // another tab has made the newer build the one that runs
    });
    void browser.wait(settleMs).then(() => send(found.active, 'fill'));
  }

  async function register(): Promise<ServiceWorkerRegistration | null> {
    if (!workers || !browser.secure) return null;
    try {
      const address = new URL('sw.js', new URL('.', browser.address));
      const found = await workers.register(address.pathname, { updateViaCache: 'none' });
      watch(found);
      return found;
    } catch (thrown) {
      console.warn('The service worker could not be registered.', thrown);
      return null;
    }
  }

  /** Resolves when the service worker would answer the requests of the next load. Held Shift keeps one from answering this one. */
  const working = (found: ServiceWorkerRegistration): Promise<void> =>
    new Promise((resolve) => {
      if (workers?.controller || found.active?.state === 'activated') resolve();
      else workers?.addEventListener('controllerchange', () => resolve(), { once: true });
    });

  function shortfall(found: ServiceWorkerRegistration | null): Shortfall {
    if (!browser.secure) return 'insecure';
    if (browser.framed) return 'framed';
    if (!found) return 'no-worker';
    return wasControlled ? 'refused' : 'next-load';
  }

  function alreadyReloaded(): boolean {
    try {
      return reloads.noted();
    } catch {
      return true; // without a memory, reloads could follow each other for ever
    }
  }

  if (isolated) attempt(reloads.forget);
  // A server on this very machine needs no copy of its files, and a developer's changes should show at once.
  const isWorthIt = !isolated || wasControlled || address.protocol === 'https:';
  if (address.searchParams.get('sw') === 'off' || !isWorthIt) {
    if (!isolated) set({ shortfall: 'no-worker' });
    return;
  }
  const registering = register();
  if (isolated) return;
  const waited = browser.wait(patienceMs);
  const canHelp = mayReload && !browser.framed && !wasControlled && !alreadyReloaded();
  if (canHelp) {
    const found = await Promise.race([registering, waited.then(() => null)]);
    const isReady = found && (await Promise.race([working(found).then(() => true), waited.then(() => false)]));
    if (isReady && attempt(reloads.note)) {
      browser.reload();
      return new Promise(() => undefined); // this document ends
    }
  }
  void registering.then((found) => set({ shortfall: shortfall(found) }));
}

function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

const reloadKey = 'secateur.reloaded';

/** The browser that the page runs in. */
export function hostBrowser(): HostBrowser {
  return {
    isolated: globalThis.crossOriginIsolated === true,
    secure: globalThis.isSecureContext,
    framed: window.top !== window.self,
    address: new URL(location.href),
    workers: navigator.serviceWorker ?? null,
    reloads: {
      noted: () => sessionStorage.getItem(reloadKey) !== null,
      note: () => sessionStorage.setItem(reloadKey, 'for headers'),
      forget: () => sessionStorage.removeItem(reloadKey),
    },
    reload: () => location.reload(),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}
