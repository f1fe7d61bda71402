/** @file Where the page lies: files beside it are fetched from there. */

/** The page's address: a worker's own is inside the build's assets. */
export function pageUrl(): string {
  const base = new URL(import.meta.env.BASE_URL, self.location.href);
  return import.meta.env.DEV ? base.href : new URL('../../', self.location.href).href;
}
