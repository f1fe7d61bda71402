/** @file What the page tells the service worker, and the name of the cache that both know. */

/** 'fill': fetch what is missing for visits without a network. 'activate': replace the earlier build now. */
export type SiteMessage = 'fill' | 'activate';

export interface SentMessage {
  readonly secateur: SiteMessage;
}

/** Whether data that a page sent is this message. */
export function isMessage(data: unknown, message: SiteMessage): boolean {
  return typeof data === 'object' && data !== null && (data as Partial<SentMessage>).secateur === message;
}

/** One cache for each folder: pages in other folders of one host share the host's caches. */
export function cacheName(scope: string): string {
  return `secateur ${new URL(scope).pathname}`;
}
