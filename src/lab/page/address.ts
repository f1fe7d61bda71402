/** @file What the page's address names: a report that is only shown, or the laboratory. */

/** A report's link keeps its content behind '#', which no server sees. */
export function hasReport(address: Pick<URL, 'hash'>): boolean {
  return /^#s\d+[.~]/.test(address.hash);
}
