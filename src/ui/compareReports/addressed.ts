/** @file The address of a comparison of reports: '#c1.', then the reports' own fragments, joined by '~'. */
import { useSyncExternalStore } from 'react';

const mark = /(?:#|%23)c1\.?([^?]*)$/i;

/** Longest address that the page writes by itself, characters: browsers keep it, most mails and chats do not. */
export const mostAddressCharacters = 32_000;

/** The fragments of reports in an address, without '#'; null for an address of something else. */
export function comparedIn(href: string): string[] | null {
  const found = mark.exec(href)?.[1];
  if (found === undefined) return null;
  return found.split('~').filter((fragment) => fragment !== '');
}

/** What stands behind the page's address for these reports. */
export const addressOf = (fragments: readonly string[]): string => `#c1.${fragments.join('~')}`;

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  window.addEventListener('popstate', listener);
  return () => {
    window.removeEventListener('hashchange', listener);
    window.removeEventListener('popstate', listener);
  };
}

/** Whether the page shows a comparison of reports. */
export function useIsComparison(): boolean {
  return useSyncExternalStore(subscribe, () => comparedIn(location.href) !== null);
}

/** Shows a comparison that begins with these reports; Back leads to what was there before. */
export function showComparison(fragments: readonly string[]): void {
  history.pushState(null, '', `${location.pathname}${addressOf(fragments)}`);
  scrollTo(0, 0);
  window.dispatchEvent(new PopStateEvent('popstate'));
}
