/**
 * @file What the page may load, connect to and run: one policy for the page's own meta element (vite.config.ts) and for the
 * server's headers (serve.mjs), which also reach the workers: a worker follows the headers of its own script.
 */

const directives = {
  'default-src': ["'none'"],
  // No inline script, no eval; WebAssembly for ONNX Runtime, hashes and decompression.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  // Users may name any host that lets other pages read it (the Hub, its mirrors, a folder of one's own), so the hosts
  // cannot be listed; they must be encrypted, but for a server on this very machine. The signed addresses that the Hub
  // leads to are https, too.
  'connect-src': ["'self'", 'https:', 'http://localhost:*', 'http://127.0.0.1:*'],
  // React and the charts set styles through the object model, which needs no permission.
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  // Text from models and files never becomes markup or script; addresses of workers pass src/trusted.ts.
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['default'],
};

const written = (list) =>
  Object.entries(list)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');

/** For a meta element, where frame-ancestors has no effect. */
export const pagePolicy = written(directives);

/** For the header of every answer. */
export const headerPolicy = written({ ...directives, 'frame-ancestors': ["'none'"] });
