/**
 * @file Which addresses may become script, where the browser enforces Trusted Types: those of the page's own origin. Import
 * it before anything that starts a worker. Markup has no such way in: nothing may become HTML.
 */

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): unknown;
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

/** ONNX Runtime and the bundler start workers by plain addresses: the default policy judges every one. */
trustedTypes?.createPolicy('default', {
  createScriptURL(address) {
    const { origin, protocol, href } = new URL(address, self.location.href);
    // A Blob's address has the page's origin, and anything in it.
    if (origin === self.location.origin && protocol === self.location.protocol) return href;
    throw new TypeError(`No script may come from ${protocol}//${origin}.`);
  },
});
