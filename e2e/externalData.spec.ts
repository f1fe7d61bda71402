/**
 * @file ONNX Runtime reads weights from Blobs while the garbage collector runs at every read. With the streams that its JSPI
 * build makes by itself such a read never settles; with the Blobs that `openSession` gives it every session opens.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';
import { chromiumFlags, ensureChromium } from '../tools/chromium.mjs';
import type * as SessionPage from './support/sessionPage';
import { expect, test } from './support/test';

const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const library = (name: string): Buffer => readFileSync(fileAt(`../node_modules/onnxruntime-web/dist/${name}`));

/** sessionPage.ts and what it imports, but for the library, as one module. */
async function bundle(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      lib: { entry: fileAt('support/sessionPage.ts'), formats: ['es'] },
      rolldownOptions: { external: [/ortJspi$/, /ortAsyncify$/] },
    },
  })) as Rolldown.RolldownOutput[];
  return built[0]!.output[0].code;
}

test.use({
  launchOptions: { executablePath: ensureChromium(), args: [...chromiumFlags(), '--js-flags=--expose-gc'] },
});

test('sessions open from Blobs while garbage is collected at every read', async ({ page }) => {
  const code = await bundle();
  const isolated = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  await page.route('**/reading/**', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1) ?? '';
    if (name === '') return route.fulfill({ contentType: 'text/html', headers: isolated, body: '<!doctype html>' });
    const contentType = name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    return route.fulfill({ contentType, headers: isolated, body: name === 'page.js' ? code : library(name) });
  });
  await page.goto('./reading/');
  const result = await page.evaluate(async () => {
    const load = (url: string): Promise<unknown> => import(url);
    const ort = (await load('./ort.jspi.min.mjs')) as typeof import('onnxruntime-web');
    ort.env.wasm.wasmPaths = new URL('./', location.href).href;
    ort.env.wasm.numThreads = 1;
    const { compare } = (await load('./page.js')) as typeof SessionPage;
    return compare({ ort, version: 'onnxruntime-web', threads: 1 }, 3);
  });
  expect(result.difference).toBe(0);
  expect(result.collections).toBeGreaterThan(50);
});
