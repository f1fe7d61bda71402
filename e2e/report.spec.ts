/** @file A report's link opens on a phone without WebGPU: numbers and charts from the link alone. */
import { chromium } from '@playwright/test';
import { createServer } from 'vite';
import type { DeviceInfo, ModelInfo } from '../src/report/facts';
import type { ModelRecord } from '../src/report/record';
import { syntheticComparison } from '../src/report/testing/syntheticComparison';
import { askedRows } from '../src/report/testing/taskRows';
import type { CalibrationInfo } from '../src/report/texts';
import { chromiumFlags, findChromium } from '../tools/chromium.mjs';
import { expect, test } from './support/test';

const layers = Array.from({ length: 12 }, (_, source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 }));
const model: ModelInfo = {
  ...{ id: 'hf:owner/small', source: 'owner/small@main', revision: 'main', architecture: 'LlamaForCausalLM' },
  shape: {
    ...{ family: 'llama', vocab: 512, hidden: 128, layers, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 256 },
    tiedHead: true,
  },
  ...{ parameters: 2_443_136, storedBytes: 5e6, dtype: 'F16', tokenizer: true, downloadedBytes: 0, lastUsed: 0 },
  notes: [],
};
const device: DeviceInfo = { adapter: 'nvidia ada', identity: 'ada', software: false, features: [], limits: {} };
const calibration: CalibrationInfo = {
  ...{ corpus: 'calibration', samples: 10, seqLen: 128, seed: 1234, tokens: 1280, hash: 'c'.repeat(16) },
};
const scores = [2.31, 1.79, 1.8, 1.807, 1.805, 1.836, 1.811, 1.806, 1.833, 1.837, 1.91, 2.36];
const order = scores.map((_, block) => block).sort((a, b) => scores[a]! - scores[b]!);

const record: ModelRecord = {
  ...{ version: 2, created: '2026-11-29T19:55:00.000Z', program: 'Secateur 0.1.0', model, device, calibration },
  scores: [
    {
      ...{ criterion: 'ppl', unit: 'block', scores, order, reference: 1.793, protected: [], window: 1, calibration },
      ...{ milliseconds: 900, peakGpuBytes: 1e7, device: { ...device, runtime: 'WGSL engine' } },
    },
  ],
  ...{ widthScores: [], searches: {}, evolution: null },
  comparison: askedRows(syntheticComparison(model.id, false).slice(0, 8)),
};

/** What writes links, as the page has it: only the bundler reads the version in package.json. */
type Share = typeof import('../src/report/link/share');

async function linksOf(all: readonly { title: string; notes?: string }[]): Promise<string[]> {
  const server = await createServer({
    configFile: false,
    server: { middlewareMode: true, ws: false },
    appType: 'custom',
    logLevel: 'error',
  });
  try {
    const { shareable } = (await server.ssrLoadModule('/src/report/link/share.ts')) as Share;
    const urls = await Promise.all(all.map((words) => shareable(record, { ...words, page: 'https://example.org/' })));
    return urls.map(({ url }) => new URL(url).hash);
  } finally {
    await server.close();
  }
}

test('a link shows its report on a phone without WebGPU, and only by the page’s own files', async ({ baseURL }) => {
  const notes = 'Measured in class.\n<b>No</b> markup: https://example.org/x';
  const [first = '', other = ''] = await linksOf([
    { title: 'Depth against width', notes },
    { title: 'Another report' },
  ]);
  const browser = await chromium.launch({ executablePath: findChromium()!, args: chromiumFlags({ webgpu: false }) });
  try {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, baseURL: baseURL! });
    const requests: string[] = [];
    const workers: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('worker', (worker) => workers.push(worker.url()));

    await page.goto(`./${first}`);
    await expect(page.getByRole('heading', { name: 'Depth against width', level: 2 }).first()).toBeVisible();
    await expect(page.getByText('<b>No</b> markup: https://example.org/x')).toBeVisible();
    await expect(page.locator('.report-summary a, .report-summary .report-notes b')).toHaveCount(0);
    await expect(page.getByText(/removing blocks keeps the better perplexity: 1\.893 at best, against/)).toBeVisible();
    await expect(page.getByText('nvidia ada', { exact: true })).toBeVisible();
    await expect(page.getByText('29 November 2026, 19:55 UTC', { exact: true })).toBeVisible();
    for (const chart of ['Perplexity against parameters removed', 'Speed-up against batch size']) {
      await expect(page.getByRole('figure', { name: chart }).locator('svg.recharts-surface').first()).toBeVisible();
    }
    const answers = page.getByRole('region', { name: 'Right answers per variant' });
    await expect(answers.locator('svg.recharts-surface').first()).toBeVisible();
    await answers.getByText('Table', { exact: true }).click();
    await expect(answers.getByRole('row', { name: /^Taylor\+ 20 % 77\.3% 86% ± 3\.5% −4 points 85%$/ })).toBeVisible();
    await expect(page.locator('.scores-plot svg.recharts-surface')).toBeVisible();
    await expect(page.getByRole('row', { name: /^original model/ }).last()).toContainText('1.838');
    await expect(page.getByText(/Repaired by ReplaceMe, computed from 10 × 128 tokens/)).toBeVisible();
    await expect(page.getByText(/median of 6 runs after 1 warm-ups/).last()).toBeVisible();
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);

    const own = new URL(baseURL!).origin;
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter((url) => new URL(url).origin !== own)).toEqual([]);
    expect(requests.filter((url) => /\.wasm|worker|onnx|\bort|\/demo\//i.test(new URL(url).pathname))).toEqual([]);
    expect(workers).toEqual([]);

    // Another link in the same tab, then one that was cut on its way.
    await page.evaluate((hash) => void location.assign(hash), other);
    await expect(page.getByRole('heading', { name: 'Another report' })).toBeVisible();
    await page.evaluate((hash) => void location.assign(hash), other.slice(0, -40));
    await expect(page.getByRole('alert')).toContainText('The link: expected a whole report');
    await expect(page.getByText('1.838')).toHaveCount(0);
    expect(workers).toEqual([]);
    await page.getByRole('button', { name: 'Go to the laboratory' }).click();
    await expect(page.getByRole('status', { name: 'Device' })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('alert')).toBeVisible();
  } finally {
    await browser.close();
  }
});
