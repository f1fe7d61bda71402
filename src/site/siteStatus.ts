/** @file What the page knows of its host: whether it is isolated from other origins, and whether a newer build waits. */
import { createStore } from 'zustand/vanilla';

/** Why wasm runs on one thread; null where it does not. */
export type Shortfall =
  /** The page is neither from https nor from this machine. */
  | 'insecure'
  /** The browser has no service workers, or does not allow one here. */
  | 'no-worker'
  /** Another site shows the page in a frame. */
  | 'framed'
  /** The service worker runs; the next load is isolated. */
  | 'next-load'
  /** The headers came, and the browser does not isolate the page all the same. */
  | 'refused';

export interface SiteStatus {
  readonly shortfall: Shortfall | null;
  /** A newer build that replaces this one on a click, or when all tabs are closed. */
  readonly newBuild: { use(): void } | null;
}

export const siteStatus = createStore<SiteStatus>()(() => ({ shortfall: null, newBuild: null }));
