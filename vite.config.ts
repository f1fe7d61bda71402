import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { pagePolicy } from './tools/csp.mjs';
import { site } from './tools/site.mjs';

/** Cross-origin isolation: without it wasm threads are off. The server in tools/serve.mjs sends the same. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Changes when any file of the demo changes, so that browsers which stored an older one fetch it anew. */
function demoVersion(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(`${folder}/${name}`));
  return hash.digest('hex').slice(0, 16);
}

/** The policy of the built page, in the page itself: it holds wherever the page is served. Hot reload needs none. */
const policy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: pagePolicy },
      injectTo: 'head-prepend',
    },
    { tag: 'meta', attrs: { name: 'referrer', content: 'no-referrer' }, injectTo: 'head-prepend' },
  ],
};

export default defineConfig({
  define: { __DEMO_VERSION__: JSON.stringify(demoVersion('public/demo')) },
  plugins: [react(), policy, site()],
  base: './',
  worker: { format: 'es' },
  // ONNX Runtime without its glue inlined: the glue starts its own threads, so it must stay a file (benchmark/ort.ts).
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  build: { target: 'es2023', chunkSizeWarningLimit: 600 },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers: isolation },
  preview: { headers: isolation },
});
