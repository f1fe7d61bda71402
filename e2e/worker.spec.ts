/** @file While the worker computes, the page belongs to the person: every pass stops when told. */
import type { Page } from '@playwright/test';
import { expect, openLab, test } from './support/test';

/** Bound of the promise on the software adapter, ms. */
const cancelMs = 500;

test.describe('every pass is cancelled within half a second', () => {
  test.setTimeout(600_000);
  const passes = [
    ...['ppl', 'taylor', 'block-influence', 'angular', 'sleb', 'block-pruner'],
    ...['perplexity wgsl', 'perplexity ort-wasm', 'latency ort-wasm', 'latency ort-webgpu', 'generate ort-wasm'],
  ];

  /** Milliseconds from abort to rejection, of a pass that is aborted `after` ms. Null where it had ended before. */
  const cancelled = (page: Page, pass: string, after: number): Promise<number | null> =>
    page.evaluate(
      async ([what, delay]) => {
        const { lab } = window;
        const controller = new AbortController();
        const { signal } = controller;
        const [kind, runtime = 'ort-wasm'] = what.split(' ') as [string, ('ort-wasm' | 'ort-webgpu')?];
        const start = (): Promise<unknown> => {
          if (kind === 'perplexity') return lab.perplexity('base', { signal, runtime, samples: 64 });
          if (kind === 'latency') return lab.latency('base', { signal, runtime });
          if (kind === 'generate') return lab.generate('base', 'Once', { signal, runtime, newTokens: 200 });
          return lab.importance(kind as 'ppl', { signal });
        };
        const running = start().then(
          () => 'done',
          (error: { code: string }) => error.code,
        );
        await new Promise((resolve) => setTimeout(resolve, delay));
        const told = performance.now();
        controller.abort();
        const outcome = await running;
        if (outcome === 'done') return null;
        if (outcome !== 'aborted') throw new Error(`${what}: ${outcome}`);
        return performance.now() - told;
      },
      [pass, after] as const,
    );

  test('on the demo model, at several moments', async ({ page }, info) => {
    await openLab(page);
    await page.evaluate(() => window.lab.load('demo'));
    await page.evaluate(() => window.lab.importance('block-influence'));
    await page.evaluate(() => window.lab.latency('base', { newTokens: 2, runs: 1, warmups: 0 }));
    const medians: Record<string, number> = {};
    const tries: Record<string, number[]> = {};
    for (const pass of passes) {
      const times: number[] = [];
      for (const after of [20, 410, 1230]) {
        const time = await cancelled(page, pass, after);
        if (time !== null) times.push(time);
      }
      times.sort((a, b) => a - b);
      tries[pass] = times.map(Math.round);
      expect(times.length, `${pass}: times that it was still running`).toBeGreaterThan(0);
      medians[pass] = times[Math.floor((times.length - 1) / 2)]!;
    }
    info.annotations.push({ type: 'times to cancel, ms', description: JSON.stringify(tries) });
    // One try may meet a run of ONNX Runtime, which nothing interrupts, on cores that others use too: hence the median.
    for (const [pass, time] of Object.entries(medians)) expect(time, pass).toBeLessThanOrEqual(cancelMs);
  });
});
