/**
 * @file What a build needs besides its page, so that any static host can serve it: the service worker with the list of the build's
 * files, and headers for hosts that read a `_headers` file.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { build } from 'vite';
import { pagePolicy } from './csp.mjs';

/** Not the page's: for hosts, and for those who remove the service worker. The browser fetches sw.js itself. */
const apart = new Set(['sw.js', 'sw-retire.js', '_headers', '404.html', 'hand-on.js', 'catalogue.md']);
/** The page stores the demo's weights itself, as it stores the weights of every model. */
const storedByPage = /\.safetensors$/;
/** Files of ONNX Runtime: 17 MB for browsers that suspend WebAssembly, 27 MB for others, and only the benchmark needs them. */
const large = /\.wasm$/;

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/**
 * The files of a built page that its service worker keeps.
 * @returns {{ path: string, sha256: string, keep: 'always' | 'used' }[]}
 */
export function siteFiles(dist) {
  return filesBelow(dist)
    .map((file) => ({ file, path: relative(dist, file).split(sep).join('/') }))
    .filter(({ path }) => !apart.has(path) && !storedByPage.test(path) && !path.endsWith('.map'))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ file, path }) => ({
      path,
      sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
      keep: large.test(path) ? 'used' : 'always',
    }));
}

/**
 * Headers for Netlify, Cloudflare Pages and other hosts that read this file. frame-ancestors is absent: such a file cannot tell a
 * report's `?embed` view, which other sites may show in a frame, from the rest. The page itself refuses to work in a frame.
 */
export const hostHeaders = `/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
  Cross-Origin-Resource-Policy: cross-origin
  Content-Security-Policy: ${pagePolicy}
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
`;

/** @returns {import('vite').Plugin} */
export function site() {
  let config;
  return {
    name: 'secateur-site',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const dist = resolve(config.root, config.build.outDir);
        await build({
          configFile: false,
          root: config.root,
          logLevel: 'warn',
          publicDir: false,
          define: {
            __SITE_FILES__: JSON.stringify(siteFiles(dist)),
            __PAGE_POLICY__: JSON.stringify(pagePolicy),
          },
          build: {
            target: config.build.target,
            outDir: dist,
            emptyOutDir: false,
            // A classic script: not every browser runs modules as service workers.
            rolldownOptions: {
              input: join(config.root, 'src/site/serviceWorker.ts'),
              output: { format: 'iife', entryFileNames: 'sw.js' },
            },
          },
        });
        writeFileSync(join(dist, '_headers'), hostHeaders);
      },
    },
  };
}
