/** @file What the page's benchmark asks of the laboratory: variant and base in one measurement, a broken base left out. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { LabError } from '../../../errors';
import type { Runtime } from '../../../report/results';
import { type TestPage, testDevice, testModel, testPage, without } from '../testing/page';

const model = testModel('m');
let page: TestPage;
let asked: string[];
let scored: string[];
let broken: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [asked, scored, broken] = [[], [], []];
  page = testPage();
  page.show(model, { plan: without(model, 1), device: { ...testDevice, software: true } });
  const refuseBroken = (id: string): void => {
    if (broken.includes(id)) throw new LabError('non-finite', 'x.weight[5] = Infinity', 'Get another copy.');
  };
  Object.assign(page.does, {
    comparison: () => [
      { variant: 'base', perplexity: Object.fromEntries(scored.map((runtime) => [runtime, {}])), latency: [{}] },
    ],
    latency: (id: string, { against }: { against?: string }) => {
      asked.push(`latency ${id}${against ? ` against ${against}` : ''}`);
      refuseBroken(id);
      if (against) refuseBroken(against);
      return [];
    },
    perplexity: (target: unknown, { runtime }: { runtime?: Runtime }) => {
      const id = typeof target === 'string' ? target : 'plan';
      asked.push(`perplexity ${id} ${runtime ?? 'any'}`);
      refuseBroken(id);
      return { perplexity: 2, text: { hash: 'h' } };
    },
  });
  return () => void vi.useRealTimers();
});

test('a variant is timed in turns with the base, anew with each benchmark', async () => {
  scored = ['wgsl', 'ort-wasm'];
  await page.commands.benchmarkDraft();
  expect(asked).toEqual(['latency v1 against base', 'perplexity v1 wgsl', 'perplexity v1 ort-wasm']);
});

test('the base gets its perplexities where it has none, and by itself no speed-up', async () => {
  await page.commands.benchmarkDraft();
  expect(asked.slice(0, 3)).toEqual(['perplexity base wgsl', 'perplexity base ort-wasm', 'latency v1 against base']);
  asked = [];
  page.commands.resetPlan();
  await page.commands.benchmarkDraft();
  expect(asked.filter((call) => call.startsWith('latency'))).toEqual(['latency base']);
});

test('a variant with weights of its own is timed itself; its plan makes no other variant', async () => {
  const own = { id: 'v7', name: 'repaired', plan: without(model, 1) };
  page.does.variants = () => [own];
  page.store.setState({ ownWeights: 'v7' });
  await page.commands.benchmarkDraft();
  expect(asked).toContain('latency v7 against base');
  expect(asked).toContain('perplexity v7 wgsl');
  expect(page.callsOf('variant')).toEqual([]);
});

test('a broken base keeps no variant without the block from its numbers', async () => {
  broken = ['base'];
  await page.commands.benchmarkDraft();
  expect(asked).toContain('latency v1');
  expect(page.store.getState().tasks.benchmark?.phase).toBe('done');

  page.commands.toggleBlock(2);
  await vi.advanceTimersByTimeAsync(500);
  expect(page.store.getState()).toMatchObject({
    base: null,
    live: { result: { perplexity: 2 } },
    tasks: { live: { phase: 'done' } },
  });
  page.commands.resetPlan();
  await vi.advanceTimersByTimeAsync(500);
  expect(page.store.getState().tasks.live).toMatchObject({ phase: 'failed', failure: { code: 'non-finite' } });
});

test('the table fills while the benchmark runs; a cancelled one keeps what it measured', async () => {
  const last = deferred<unknown>();
  scored = ['wgsl', 'ort-wasm'];
  page.does.perplexity = (_id, { runtime }: { runtime: Runtime }) => (runtime === 'wgsl' ? {} : last.promise);
  const base = { variant: 'base', perplexity: { wgsl: {}, 'ort-wasm': {} } };
  page.does.comparison = () => [base, { variant: 'v1' }];
  const running = page.commands.benchmarkDraft();
  await vi.waitFor(() => expect(page.callsOf('perplexity')).toHaveLength(2));
  expect(page.store.getState().comparison).toHaveLength(2);
  expect(page.store.getState().tasks.benchmark?.phase).toBe('running');
  page.commands.cancelTask('benchmark');
  await running;
  expect(page.store.getState().tasks.benchmark).toEqual({ phase: 'idle' });
  expect(page.store.getState().comparison).toHaveLength(2);
});

test('a plan that is edited meanwhile does not change what the benchmark measures', async () => {
  const time = deferred<unknown>();
  page.does.latency = () => time.promise;
  const running = page.commands.benchmarkDraft();
  await vi.waitFor(() => expect(page.callsOf('latency')).toHaveLength(1));
  page.commands.toggleBlock(2);
  time.resolve([]);
  await running;
  expect(page.callsOf('variant')).toEqual([[without(model, 1)]]);
  expect(page.callsOf('perplexity').map(([id]) => id)).toEqual(['base', 'base', 'v1', 'v1']);
});
