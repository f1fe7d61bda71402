/** @file The built page from a plain static server under a sub-path, which sends none of the isolation headers. */
import type { Page } from '@playwright/test';
import { locate, serve } from '../tools/serve.mjs';
import { siteFiles } from '../tools/site.mjs';
import { expect, test } from './support/test';

const folder = '/courses/pruning/';

/** How many files the browser keeps of the page. */
const keptFiles = (page: Page): Promise<number> =>
  page.evaluate(async (name) => (await (await caches.open(name)).keys()).length, `secateur ${folder}`);

test('a host without headers: one reload isolates the page, threads run, and the demo opens without a network', async ({
  page,
  problems,
}) => {
  const wanted: string[] = [];
  const server = await serve({
    port: 0,
    headersFor: () => ({}),
    find: (url: string) => (url.startsWith(folder) ? locate('dist', `/${url.slice(folder.length)}`) : null),
  });
  const address = `${server.url.slice(0, -1)}${folder}`;
  let loads = 0;
  page.on('load', () => {
    loads += 1;
  });
  // The service worker's own requests would count everything twice.
  page.context().on('request', (request) => {
    if (request.serviceWorker() === null) wanted.push(request.url());
  });

  // Without a model of its own, so that the page measures only what the test asks for.
  await page.goto(`${address}?model=`);
  await page.waitForFunction(() => crossOriginIsolated && window.lab !== undefined);
  expect(loads).toBe(2);
  await expect(page.getByRole('status', { name: 'Site' })).toHaveCount(0);
  const first = await runDemo(page);
  expect(first.blocks).toBe(12);
  // Each thread of ONNX Runtime loads this script.
  const threads = wanted.filter((url) => /ort-wasm[^/]*\.mjs$/.test(url)).length;
  expect(threads).toBe(await page.evaluate(() => Math.min(navigator.hardwareConcurrency, 4)));

  await test.step('without a network, the page and the demo open again', async () => {
    await page.evaluate(() => navigator.serviceWorker.controller?.postMessage({ secateur: 'fill' }));
    const always = siteFiles('dist').filter(({ keep }) => keep === 'always').length;
    await expect.poll(() => keptFiles(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(always);
    await server.close();
    await page.reload();
    await page.waitForFunction(() => crossOriginIsolated && window.lab !== undefined);
    expect(await runDemo(page)).toEqual(first);
  });
  expect(wanted.filter((url) => !url.startsWith(server.url))).toEqual([]);
  expect(problems).toEqual([]);
});

/** Opens the demo, tokenizes its text and runs it in ONNX Runtime on the CPU. */
async function runDemo(page: Page): Promise<{ blocks: number; perplexity: number }> {
  return page.evaluate(async () => {
    const { lab } = window;
    const { shape } = await lab.load('demo');
    await lab.calibrate({ samples: 1, seqLen: 16 });
    const { perplexity } = await lab.perplexity('base', { tokenIds: [[1, 2, 3, 4]], runtime: 'ort-wasm' });
    return { blocks: shape.layers.length, perplexity };
  });
}
