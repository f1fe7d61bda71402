/** @file Opening a model: what is measured, cancelled, remembered and marked on the way, and which of two loads wins. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { LabError } from '../../../errors';
import type { ModelInfo } from '../../../report/facts';
import { type TestPage, testModel, testPage, without } from '../testing/page';

const model = testModel();
const failing = (code: LabError['code']) => () => {
  throw new LabError(code, 'It failed.', 'Try again.');
};

let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.store.setState({ ready: true, device: { adapter: 'x', software: false, features: [] } as never });
});
afterEach(() => void vi.useRealTimers());

const marks = () => [...page.storage.keys()].filter((key) => key.startsWith('secateur.opening.'));
const tasks = () => page.store.getState().tasks;

test('a model opens with its first results: fast criteria, perplexity, text', async () => {
  expect(await page.commands.loadModel('o/n')).toBe(true);
  const methods = page.calls.map(({ method, args }) => (method === 'importance' ? `importance ${args[0]}` : method));
  const measured = ['calibrate', 'importance block-influence', 'importance angular', 'importance magnitude'];
  expect(methods.filter((method) => !['texts', 'variants', 'comparison', 'trainings'].includes(method))).toEqual([
    ...['loadForPage', 'stored', 'unfinished', 'storage', 'stored'],
    ...measured,
    ...['perplexity', 'importance ppl', 'generate'],
  ]);
  expect(page.store.getState()).toMatchObject({
    model,
    base: { perplexity: 2 },
    live: { result: { perplexity: 2 }, selection: { ownWeights: null } },
    texts: { prompt: 'Once upon a time,', base: { text: 'words' } },
    tasks: { load: { phase: 'done' }, live: { phase: 'done' } },
  });
});

test('without a GPU the page shows what the CPU measures', async () => {
  page.store.setState({ device: null });
  await page.commands.loadModel('o/n');
  expect(page.callsOf('importance').map(([criterion]) => criterion)).toEqual(['magnitude']);
  expect(page.store.getState()).toMatchObject({ criterion: 'magnitude', subBlockCriterion: 'random' });
});

test('the mark is there while the model is loaded, measured and written with, and gone after; the model is remembered', async () => {
  const marked: Record<string, boolean> = {};
  let rememberedAtPerplexity: string | null | undefined;
  const note = (method: string): void => {
    marked[method] = marks().length === 1;
  };
  page.does.loadForPage = () => {
    note('load');
    return model;
  };
  page.does.perplexity = () => {
    note('perplexity');
    rememberedAtPerplexity = page.lastSource;
    return { perplexity: 2 };
  };
  page.does.generate = () => {
    note('generate');
    return { text: 'x' };
  };
  await page.commands.loadModel('o/n');
  expect(marked).toEqual({ load: true, perplexity: true, generate: true });
  expect(rememberedAtPerplexity).toBeNull();
  expect(page.lastSource).toBe('o/n@1');
  expect(marks()).toEqual([]);
});

test.each(['network', 'bad-tokenizer', 'aborted', 'out-of-memory'] as const)(
  'a load that fails (%s) leaves the open model, no mark, and what is remembered',
  async (code) => {
    const open = testModel('open');
    page.show(open);
    page.lastSource = 'demo';
    let wasMarked = false;
    page.does.loadForPage = () => {
      wasMarked = marks().length === 1;
      return failing(code)();
    };
    expect(await page.commands.loadModel('o/n')).toBe(false);
    expect(wasMarked).toBe(true);
    expect(marks()).toEqual([]);
    expect(page.lastSource).toBe('demo');
    expect(page.store.getState().model).toBe(open);
    const expected = code === 'aborted' ? { phase: 'idle' } : { phase: 'failed', failure: { code } };
    expect(tasks().load).toMatchObject(expected);
  },
);

test('after a failure the same load may succeed', async () => {
  page.does.loadForPage = failing('network');
  expect(await page.commands.loadModel('o/n')).toBe(false);
  delete page.does.loadForPage;
  expect(await page.commands.loadModel('o/n')).toBe(true);
  expect(tasks().load).toEqual({ phase: 'done' });
});

test('a folder that has changed at its address is asked about, by its source', async () => {
  page.does.loadForPage = failing('changed');
  await page.commands.loadModel('https://host.example/m/');
  expect(page.store.getState().changedSource).toBe('https://host.example/m/');
  delete page.does.loadForPage;
  await page.commands.loadModel('https://host.example/m/', { changed: 'fetch' });
  expect(page.callsOf('loadForPage').at(-1)?.[1]).toMatchObject({ changed: 'fetch' });
  expect(page.store.getState().changedSource).toBeNull();
});

test.each([
  ['out-of-memory', null],
  ['device-lost', null],
  ['worker', null],
  ['internal', null],
  ['aborted', null],
  ['bad-tokenizer', 'o/n@1'], // a model without a tokenizer opens, and has no perplexity
] as const)('a first perplexity that fails (%s): remembered %s; no mark is left', async (code, remembered) => {
  page.does.perplexity = failing(code);
  await page.commands.loadModel('o/n');
  expect(page.lastSource).toBe(remembered);
  expect(marks()).toEqual([]);
});

test('while the first perplexity never comes, the mark stays and says how far the model came', async () => {
  page.does.perplexity = () => new Promise(() => undefined);
  void page.commands.loadModel('o/n');
  await vi.waitFor(() => expect(page.callsOf('perplexity')).toHaveLength(1));
  expect(marks().map((key) => JSON.parse(page.storage.get(key) ?? '{}'))).toMatchObject([
    { source: 'o/n', stage: 'measuring' },
  ]);
  expect(page.lastSource).toBeNull();
});

test('a load that is cancelled while it waits leaves the open model as it is', async () => {
  const open = testModel('open');
  page.show(open, { plan: without(open, 1) });
  const answer = deferred<ModelInfo>();
  page.does.loadForPage = () => answer.promise;
  const loading = page.commands.loadModel('o/n');
  await vi.waitFor(() => expect(page.callsOf('loadForPage')).toHaveLength(1));
  page.commands.cancelTask('load');
  expect(await loading).toBe(false);
  answer.resolve(model); // too late
  await vi.advanceTimersByTimeAsync(10_000);
  expect(page.store.getState()).toMatchObject({ model: open, plan: { removeBlocks: [1] }, interruption: null });
  expect(tasks().load).toEqual({ phase: 'idle' });
  expect(page.callsOf('calibrate')).toEqual([]);
});

test('of two loads the newer one wins, even where the older one answers last', async () => {
  const answers = [deferred<ModelInfo>(), deferred<ModelInfo>()];
  let asked = 0;
  page.does.loadForPage = () => answers[asked++]?.promise;
  const older = page.commands.loadModel('a/a');
  await vi.waitFor(() => expect(asked).toBe(1));
  const newer = page.commands.loadModel('b/b');
  await vi.waitFor(() => expect(asked).toBe(2));
  answers[1]?.resolve(testModel('hf:b/b'));
  expect(await newer).toBe(true);
  answers[0]?.resolve(testModel('hf:a/a'));
  expect(await older).toBe(false);
  expect(page.store.getState().model?.id).toBe('hf:b/b');
  expect(page.lastSource).toBe('b/b@1');
});

test('a load cancels what runs on the open model; nothing of it reaches the new one', async () => {
  const open = testModel('open');
  page.show(open);
  const old = deferred<unknown>();
  page.does.importance = (criterion) => (criterion === 'taylor' ? old.promise : { criterion, scores: [1, 2] });
  const measuring = page.commands.measure('taylor');
  await page.commands.loadModel('o/n');
  old.resolve({ criterion: 'taylor', scores: [9] });
  await measuring;
  expect(page.store.getState().scores.taylor).toBeUndefined();
  expect(tasks()['importance:taylor']).toBeUndefined();
});

test('a click just before another model opens measures nothing on it', async () => {
  const open = testModel('open');
  page.show(open);
  page.commands.toggleBlock(1);
  page.does.perplexity = () => new Promise(() => undefined);
  void page.commands.loadModel('o/n');
  await vi.waitFor(() => expect(page.callsOf('perplexity')).toHaveLength(1));
  await vi.advanceTimersByTimeAsync(1000);
  expect(page.callsOf('perplexity').map(([target]) => target)).toEqual(['base']);
});

test('a chosen text that the model cannot use gives way to the built-in one, and its failure stays to be read', async () => {
  page.store.setState({ calibrationChoice: { corpus: 'long' }, evaluationChoice: { corpus: 'long' } });
  page.does.calibrate = ({ corpus }: { corpus?: string }) =>
    corpus === 'long' ? failing('bad-argument')() : { hash: 'h', seed: 1 };
  page.does.perplexity = (_target: string, { corpus }: { corpus?: string }) =>
    corpus === 'long' ? failing('bad-argument')() : { perplexity: 3 };
  await page.commands.loadModel('o/n');
  expect(page.store.getState()).toMatchObject({ calibrationChoice: {}, evaluationChoice: {}, base: { perplexity: 3 } });
  expect(tasks()['text:calibration']).toMatchObject({ phase: 'failed' });
  expect(tasks()['text:evaluation']).toMatchObject({ phase: 'failed' });
  expect(tasks().live).toEqual({ phase: 'done' });
});
