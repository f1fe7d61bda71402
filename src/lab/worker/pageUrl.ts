/** @file Where the page lies: files beside it are fetched from there. */

/** The page's folder, as an address with a slash at its end. The build puts this worker into assets/, one folder below it. */
export function pageUrl(): string {
  if (import.meta.env.DEV) return new URL(import.meta.env.BASE_URL, self.location.href).href;
  return new URL('../', self.location.href).href;
}
