/** @file `?hub=` in the page's address: another Hub, on this machine only, so that no link sends a token elsewhere. */

/** The Hub that an address names, and an answer that was refused. */
export interface HubChoice {
  /** Origin of the Hub to ask; null for the Hugging Face Hub. */
  readonly hub: string | null;
  /** What `?hub=` said, where it may not be followed. */
  readonly refused: string | null;
}

/** As in the page's policy (tools/csp.mjs), which can name no IPv6 address. */
const loopbackName = /^(localhost|127\.0\.0\.1)$/;

/** Names that lead to this very machine whatever the network says, and that the page may read. `hostname` as URL gives it. */
export function isLoopback(hostname: string): boolean {
  return loopbackName.test(hostname.toLowerCase());
}

/** Reads `?hub=` of a page at `hostname`. Only a page of this machine may name one, and only one on this machine. */
export function hubOfAddress(query: string, hostname: string): HubChoice {
  const asked = new URLSearchParams(query).get('hub');
  if (asked === null || asked === '') return { hub: null, refused: null };
  const refused = { hub: null, refused: asked };
  if (!isLoopback(hostname) || !URL.canParse(asked)) return refused;
  const url = new URL(asked);
  const plain = url.username === '' && url.password === '' && /^https?:$/.test(url.protocol);
  return plain && isLoopback(url.hostname) ? { hub: url.origin, refused: null } : refused;
}
