/** @file Every pass stops when told: what the worker still hands to the GPU after Cancel is counted, not timed. */
import type { Page } from '@playwright/test';
import { expect, longTier, openLab, test } from './support/test';

/** Submissions that may follow a cancel: the one that a lane is about to make, and one of the other lane. */
const allowed = 2;

/** What the worker's counters say. */
interface Counts {
  /** Cancels that reached the worker. */
  cancels: number;
  /** GPU submissions since the last of them. */
  submissions: number;
}

/** Counts cancels and GPU submissions in the page's worker from now on. */
async function countInWorker(page: Page): Promise<() => Promise<Counts>> {
  const worker = page.workers().find((each) => each.url().includes('worker'))!;
  await worker.evaluate(() => {
    const counts: Counts = { cancels: 0, submissions: 0 };
    Object.assign(globalThis, { counts });
    // The page's calls come as comlink messages.
    globalThis.addEventListener('message', ({ data }: MessageEvent<{ path?: string[] } | null>) => {
      if (data?.path?.[0] !== 'cancel') return;
      counts.cancels += 1;
      counts.submissions = 0;
    });
    const { submit } = GPUQueue.prototype;
    GPUQueue.prototype.submit = function counted(...args) {
      counts.submissions += 1;
      return submit.apply(this, args);
    };
  });
  return () => worker.evaluate(() => (globalThis as unknown as { counts: Counts }).counts);
}

/** Runs a pass and aborts it at its `after`-th report of progress: what it rejects with, or 'done' where it had ended before. */
function cancelled(page: Page, pass: string, after: number): Promise<string> {
  return page.evaluate(
    async ([what, count]) => {
      const { lab } = window;
      const controller = new AbortController();
      const { signal } = controller;
      let heard = 0;
      const onProgress = () => {
        heard += 1;
        if (heard === count) controller.abort();
      };
      const [kind, runtime = 'ort-wasm'] = what.split(' ') as [string, ('wgsl' | 'ort-wasm' | 'ort-webgpu')?];
      const start = (): Promise<unknown> => {
        if (kind === 'perplexity') return lab.perplexity('base', { signal, onProgress, runtime, samples: 64 });
        if (kind === 'latency' && runtime !== 'wgsl') return lab.latency('base', { signal, onProgress, runtime });
        if (kind === 'generate') return lab.generate('base', 'Once', { signal, onProgress, runtime, newTokens: 200 });
        return lab.importance(kind as 'ppl', { signal, onProgress });
      };
      return start().then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    },
    [pass, after] as const,
  );
}

test('a cancelled pass of the engine submits nothing more to the GPU', async ({ page }) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  test.setTimeout(600_000);
  await openLab(page);
  await page.evaluate(() => window.lab.load('demo'));
  await page.evaluate(() => window.lab.importance('block-influence'));
  const counts = await countInWorker(page);
  for (const pass of ['ppl', 'taylor', 'block-influence', 'sleb', 'block-pruner', 'perplexity wgsl']) {
    const { cancels } = await counts();
    expect(await cancelled(page, pass, 2), pass).toBe('aborted');
    const after = await counts();
    expect(after.cancels, pass).toBe(cancels + 1);
    expect(after.submissions, `${pass}: submissions after the cancel`).toBeLessThanOrEqual(allowed);
  }
});

test('a cancelled run of ONNX Runtime reports nothing more, and the next task finds the runtime free', async ({
  sharedPage: page,
}) => {
  test.setTimeout(600_000);
  await page.evaluate(() => window.lab.load('demo'));
  for (const pass of ['perplexity ort-wasm', 'latency ort-wasm', 'generate ort-wasm']) {
    expect(await cancelled(page, pass, 2), pass).toBe('aborted');
  }
  const { tokenIds } = await page.evaluate(() =>
    window.lab.generate('base', 'Once', { runtime: 'ort-wasm', newTokens: 3 }),
  );
  expect(tokenIds.length).toBeGreaterThan(0);
});
