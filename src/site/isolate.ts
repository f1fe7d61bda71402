/**
 * @file The headers that a service worker adds where the host sends none. With them the browser isolates the page from other origins
 * and allows shared memory, which wasm threads need. tools/serve.mjs sends the same.
 *
 * The embedder policy is 'require-corp', not 'credentialless': Safari knows only the first, and the page's requests to other hosts
 * use CORS, which satisfies both.
 */

/** Statuses whose responses have no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether an address asks for the view that other pages may show in a frame. */
export function isEmbedded(address: string): boolean {
  return new URL(address).searchParams.has('embed');
}

/**
 * A response with the isolation headers and the page's policy: a worker follows the headers of its own script.
 * @param policy content security policy of the page, without frame-ancestors
 */
export function isolated(response: Response, { address, policy }: { address: string; policy: string }): Response {
  if (response.status < 200) return response; // a redirect, which the browser follows
  const headers = new Headers(response.headers);
  // The body is decoded already: these headers describe the bytes that came over the network.
  if (headers.has('Content-Encoding')) {
    headers.delete('Content-Encoding');
    headers.delete('Content-Length');
  }
  const embedded = isEmbedded(address);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', embedded ? 'cross-origin' : 'same-origin');
  headers.set('Content-Security-Policy', embedded ? policy : `${policy}; frame-ancestors 'none'`);
  const body = bodiless.has(response.status) ? null : response.body;
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}
