/**
 * @file The service worker, built as sw.js beside the page. It gives the page's own files the isolation headers, and serves them
 * without a network. It never touches requests to other hosts, requests for other files, or byte ranges.
 *
 * A faulty or old one cannot lock anyone out: the browser fetches sw.js itself at every visit, `?sw=off` removes the worker with all
 * that it stored, and public/sw-retire.js put in place of sw.js does so for every visitor. See docs/hosting.md.
 */
import { pathWithin, type SiteFile, shellPath } from './files';
import { isolated } from './isolate';
import { KeptFiles } from './keptFiles';
import { cacheName, isMessage } from './messages';

/** Written by tools/site.mjs. */
declare const __SITE_FILES__: readonly SiteFile[];
declare const __PAGE_POLICY__: string;

interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface AnswerableEvent extends LifeEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** The part of ServiceWorkerGlobalScope that is used here: TypeScript's library has it only without the DOM. */
interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: AnswerableEvent) => void): void;
  addEventListener(type: 'message', listener: (event: LifeEvent & { readonly data: unknown }) => void): void;
}

const warn = (thrown: unknown): void => console.warn(thrown);

const worker = globalThis as unknown as Scope;
const { scope } = worker.registration;
const kept = new KeptFiles({
  files: __SITE_FILES__,
  scope,
  open: () => caches.open(cacheName(scope)),
  fetch: (request) => fetch(request),
});

worker.addEventListener('install', (event) => {
  // The first one takes over at once, so that the page waits as shortly as possible for its headers; the page then asks for the
  // files. A later one is complete before it waits for its turn.
  event.waitUntil(worker.registration.active === null ? worker.skipWaiting() : kept.fill());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(kept.removeOthers().then(() => worker.clients.claim()));
});

worker.addEventListener('message', (event) => {
  if (isMessage(event.data, 'fill')) event.waitUntil(kept.fill().catch(warn));
  if (isMessage(event.data, 'activate')) event.waitUntil(worker.skipWaiting());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = pathWithin(scope, request.url);
  if (path === null || request.method !== 'GET' || request.headers.has('Range')) return;
  const isPage = request.mode === 'navigate' && path === shellPath;
  if (isPage && new URL(request.url).searchParams.get('sw') === 'off') {
    return event.respondWith(leave().then(() => fetch(request)));
  }
  const file = kept.fileAt(path);
  // Workers of another build, which a page of that build starts, need the headers, too.
  const isWorker = request.destination === 'worker' || request.destination === 'sharedworker';
  if (!isPage && !isWorker && file === null) return;
  const response = file ? kept.answer(file, request, (work) => event.waitUntil(work.catch(warn))) : fetch(request);
  const options = { address: request.url, policy: __PAGE_POLICY__ };
  event.respondWith(response.then((found) => isolated(found, options)));
});

async function leave(): Promise<void> {
  // The page that comes now is still this worker's: its requests would make the cache again.
  await kept.close();
  await caches.delete(cacheName(scope));
  await worker.registration.unregister();
}
