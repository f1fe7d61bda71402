/**
 * @file Which report the page shows: the one in its address, or a file that the user opened; null is the laboratory. Entries of
 * the browser's history, so that Back leads from a report to what was there before.
 */
import { useSyncExternalStore } from 'react';
import { hasReport } from '../../lab/page/address';

export type ReportSource =
  | { readonly kind: 'link'; readonly text: string }
  /** Null after a reload: the page has the file no more. */
  | { readonly kind: 'file'; readonly file: File | null };

/** The address of a report that came as a file: its content is not in the address. */
const fileHash = '#report-file';

let openedFile: File | null = null;
let current: ReportSource | null = null;
const listeners = new Set<() => void>();

function update(): void {
  current = sourceNow();
  for (const listener of listeners) listener();
}

function sourceNow(): ReportSource | null {
  if (hasReport(location)) return { kind: 'link', text: location.href };
  return location.hash === fileHash ? { kind: 'file', file: openedFile } : null;
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    window.addEventListener('hashchange', update);
    window.addEventListener('popstate', update);
    update();
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.removeEventListener('hashchange', update);
    window.removeEventListener('popstate', update);
  };
}

current = typeof location === 'undefined' ? null : sourceNow();

/** The report that the page shows; null for the laboratory. */
export function useOpenedReport(): ReportSource | null {
  return useSyncExternalStore(subscribe, () => current);
}

function go(address: string): void {
  history.pushState(null, '', address);
  scrollTo(0, 0);
  window.dispatchEvent(new PopStateEvent('popstate')); // whatever shows the page's address hears of it
}

/** Shows the report of a link. `fragment` is the part behind '#', without it: nothing else of the link is used. */
export function showLink(fragment: string): void {
  go(`#${fragment}`);
}

export function showFile(file: File): void {
  openedFile = file;
  go(fileHash);
}

/** Shows the laboratory; a session that runs in this tab goes on. */
export function showLaboratory(): void {
  const query = new URLSearchParams(location.search);
  query.delete('embed');
  go(`${location.pathname}${query.size > 0 ? `?${query}` : ''}`);
}
