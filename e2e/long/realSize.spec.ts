/**
 * @file Six cuts in a row on a checkpoint of SmolLM2-360M's shape, text and perplexity after each, then a benchmark of two of them:
 * every call answers, and the memory of the tab stays bounded. In a profile on disk, and in a private window.
 *
 * Prints the peaks of memory; bench/RESULTS.md has those of one run. On two cores without a GPU both take about a quarter of an hour.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, chromium, expect, type Page } from '@playwright/test';
import type { Lab } from '../../src/lab/contract/types';
import { chromiumFlags, ensureChromium } from '../../tools/chromium.mjs';
import { serve } from '../../tools/serve.mjs';
import { writeBigCheckpoint } from '../support/bigCheckpoint';
import { shareable } from '../support/folderServer';
import { gigabytes, MemoryWatch } from '../support/processes';

declare global {
  interface Window {
    lab: Lab;
  }
}

/** Blocks that the cuts remove, one after the other. */
const cuts = [16, 9, 22, 5, 27, 12];
/** The wasm heap has 4 GiB, the page and its copies of what it reads need some more. */
const mostRendererBytes = 5.5e9;

const test = base.extend<object, { weights: { url: string; parameters: number } }>({
  weights: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'secateur-big-'));
      try {
        const parameters = writeBigCheckpoint(folder);
        const server = await serve({ root: folder, port: 0, headersFor: () => shareable });
        await use({ url: server.url, parameters });
        await server.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

/** A browser of its own, with a profile on disk or a private window; `mark` tells its processes from others. */
async function open(
  kind: 'profile' | 'private',
): Promise<{ context: BrowserContext; mark: string; close: () => Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'secateur-profile-'));
  const options = { executablePath: ensureChromium(), args: [...chromiumFlags(), `--secateur-mark=${profile}`] };
  if (kind === 'profile') {
    const context = await chromium.launchPersistentContext(profile, options);
    const close = async (): Promise<void> => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    };
    return { context, mark: profile, close };
  }
  const browser = await chromium.launch(options);
  const close = async (): Promise<void> => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context: await browser.newContext(), mark: profile, close };
}

/** A short perplexity: the adapter of these tests is slow. */
const tokenIds = [Array.from({ length: 24 }, (_, index) => 3 + ((index * 7 + 1) % 26))];

/** Text, by the runtime that the laboratory chooses or by ONNX Runtime, and a live perplexity. */
const cutAndMeasure = (page: Page, blocks: number[], writer: 'chosen' | 'ort-wasm') =>
  page.evaluate(
    async ([removed, ids, by]) => {
      const { lab } = window;
      const plan = await lab.plan({ blocks: removed });
      const options = { newTokens: 8, ...(by === 'chosen' ? {} : { runtime: by }) };
      const { tokenIds: written, runtime } = await lab.generate(plan, 'once upon a time', options);
      const live = await lab.perplexity(plan, { tokenIds: ids });
      return { written: written.length, perplexity: live.perplexity, runtime };
    },
    [blocks, tokenIds, writer] as const,
  );

const cases = [
  { kind: 'profile', writer: 'chosen', title: 'in a profile on disk' },
  { kind: 'private', writer: 'ort-wasm', title: 'in a private window, all text by ONNX Runtime' },
] as const;

for (const { kind, writer, title } of cases) {
  test(`six cuts of 362 million weights, ${title}`, async ({ weights, baseURL }) => {
    test.setTimeout(3_000_000);
    const { context, mark, close } = await open(kind);
    const watch = new MemoryWatch(mark);
    const note = (what: string): Record<string, number> => {
      const peaks = watch.peaks();
      const shown = ['renderer', 'gpu-process', 'all'].map((type) => `${type} ${gigabytes(peaks[type] ?? 0)}`);
      console.log(`${kind}, ${what}: ${shown.join(', ')}`);
      return peaks;
    };
    try {
      const page = await context.newPage();
      await page.goto(`${baseURL}?model=`);
      await page.waitForFunction(() => window.lab !== undefined);
      await page.evaluate(() => window.lab.ready);
      const info = await page.evaluate((source) => window.lab.load(source), weights.url);
      expect(info.parameters).toBe(weights.parameters);
      note('loaded');
      let answered = 0;
      for (let count = 0; count <= cuts.length; count += 1) {
        const found = await cutAndMeasure(page, cuts.slice(0, count), writer);
        expect(found.written).toBeGreaterThan(0);
        expect(Number.isFinite(found.perplexity)).toBe(true);
        if (count > 0) answered += 1;
        const peaks = note(`${count === 0 ? 'whole model' : `cut ${count}`}, text by ${found.runtime}`);
        expect(peaks['renderer']).toBeLessThan(mostRendererBytes);
      }
      expect(answered).toBe(cuts.length);
      const latencies = await page.evaluate(
        async ([first, second]) => {
          const { lab } = window;
          const measured: number[] = [];
          for (const blocks of [first, second]) {
            const { id } = await lab.variant(await lab.plan({ blocks }));
            const request = {
              runtime: 'ort-wasm',
              against: 'base',
              promptTokens: 8,
              newTokens: 8,
              warmups: 1,
              runs: 2,
            } as const;
            const [result] = await lab.latency(id, request);
            measured.push(result?.decodeMsPerToken ?? Number.NaN);
          }
          return measured;
        },
        [cuts.slice(0, 1), cuts] as const,
      );
      const peaks = note('benchmark of two');
      expect(latencies.every((each) => each > 0)).toBe(true);
      expect(peaks['renderer']).toBeLessThan(mostRendererBytes);
      console.log(`${kind}: ${answered} of ${cuts.length} cuts answered`);
    } finally {
      watch.stop();
      await close();
    }
  });
}
