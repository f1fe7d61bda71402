/** @file The files of one build, as `tools/site.mjs` lists them for the service worker. */

export interface SiteFile {
  /** Path below the page's folder, for example 'assets/index-CHS0BfEX.js'. */
  readonly path: string;
  /** SHA-256 of the bytes, hexadecimal: the file's revision. */
  readonly sha256: string;
  /** 'always': kept for visits without a network. 'used': kept once the page has asked for it, since it is large. */
  readonly keep: 'always' | 'used';
}

/** The shell: the address of the page's folder means this file. */
export const shellPath = 'index.html';

/**
 * The path below `scope` that an address means, without its query; '' means the shell. Null for other hosts and for addresses
 * outside the page's folder: the service worker leaves these alone.
 */
export function pathWithin(scope: string, address: string): string | null {
  const [base, url] = [new URL(scope), new URL(address)];
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return null;
  const path = url.pathname.slice(base.pathname.length);
  return path === '' ? shellPath : path;
}
