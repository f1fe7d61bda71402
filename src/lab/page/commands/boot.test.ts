/** @file The start of a visit: what the page opens by itself, and when it asks first. */
import { beforeEach, expect, test, vi } from 'vitest';
import { savedOf } from '../saved';
import { initialState } from '../store';
import { type TestPage, testModel, testPage, workerGone } from '../testing/page';

let page: TestPage;
const start = (query = ''): TestPage => {
  page = testPage(`http://localhost/${query}`);
  return page;
};
const opened = () => page.callsOf('loadForPage').map(([source]) => source);
const stored = testModel('hf:o/n', { revision: 'main', storedBytes: 70 });

/** A mark that an earlier visit left behind. */
function mark(source: string, more: object = {}): void {
  const entry = { source, stage: 'measuring', left: false, times: 1, since: 5, ...more };
  page.storage.set('secateur.opening.k', JSON.stringify(entry));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  return () => void vi.useRealTimers();
});

test('the first visit opens the demo with its first results', async () => {
  start();
  await page.commands.boot();
  expect(opened()).toEqual(['demo']);
  expect(page.store.getState()).toMatchObject({ ready: true, model: { id: 'demo' }, base: { perplexity: 2 } });
  expect(page.lastSource).toBe('demo');
});

test('a later visit opens the last model from what is stored, whatever its server has now', async () => {
  start().does.stored = () => [stored];
  page.lastSource = 'o/n@main';
  await page.commands.boot();
  expect(page.callsOf('loadForPage')).toMatchObject([['o/n@main', { changed: 'stored' }]]);
});

test('a last model that is no longer stored is shown as a link; nothing is downloaded', async () => {
  start().lastSource = 'o/n@main';
  await page.commands.boot();
  expect(opened()).toEqual([]);
  expect(page.store.getState().link).toMatchObject({ kind: 'hub', name: 'o/n', reason: 'gone' });
});

test('a last model that cannot be read any more makes way for the demo', async () => {
  start().does.stored = () => [stored];
  page.lastSource = 'o/n@main';
  page.does.loadForPage = (source: string) => {
    if (source !== 'demo') throw workerGone();
    return testModel('demo');
  };
  await page.commands.boot();
  expect(opened()).toEqual(['o/n@main', 'demo']);
});

test('a link to a model that is not stored shows its card and sends no request', async () => {
  start('?model=o/n');
  await page.commands.boot();
  expect(page.calls.map(({ method }) => method)).toEqual(['device', 'stored']);
  expect(page.store.getState().link).toMatchObject({ name: 'o/n', revision: 'main', reason: 'link' });
});

test('a link to a stored model opens the stored copy', async () => {
  start('?model=o/n').does.stored = () => [stored];
  await page.commands.boot();
  expect(page.callsOf('loadForPage')).toMatchObject([[stored.source, { stored: true }]]);
});

test('a link that names nothing is a failure that says so', async () => {
  start('?model=nonsense');
  await page.commands.boot();
  expect(page.store.getState().tasks.load).toMatchObject({ phase: 'failed', failure: { code: 'bad-source' } });
});

test('an empty link opens nothing: a script brings its model, and the page shows it without measuring', async () => {
  start('?model=');
  await page.commands.boot();
  expect(opened()).toEqual([]);
  page.news.scriptLoad(testModel('hf:s/s'));
  await vi.waitFor(() => expect(page.store.getState().model?.id).toBe('hf:s/s'));
  await vi.advanceTimersByTimeAsync(1000);
  const measuring = ['calibrate', 'importance', 'perplexity', 'generate', 'restoreComparison'];
  expect(page.calls.filter(({ method }) => measuring.includes(method))).toEqual([]);
  expect(page.lastSource).toBeNull();
});

test('a script that opens a model ends what runs on the page’s own', async () => {
  start('?model=');
  await page.commands.boot();
  page.show(testModel('open'));
  page.does.importance = () => new Promise(() => undefined);
  const measuring = page.commands.measure('ppl');
  page.news.scriptLoad(testModel('hf:s/s'));
  await measuring;
  await vi.waitFor(() => expect(page.store.getState().model?.id).toBe('hf:s/s'));
  expect(page.store.getState().tasks['importance:ppl']).toBeUndefined();
});

test('a script that is faster than the page keeps its model', async () => {
  start().scriptIsInCharge = true;
  await page.commands.boot();
  expect(opened()).toEqual([]);
});

test('the model that crashed the last visit is asked about before it is opened again', async () => {
  start().does.stored = () => [stored];
  page.lastSource = 'demo';
  mark('o/n@main');
  await page.commands.boot();
  expect(opened()).toEqual([]);
  const [ended] = page.store.getState().endedOpenings;
  expect(ended).toMatchObject({ source: 'o/n@main', stage: 'measuring' });
  expect(page.commands.openingBytes(ended!, page.store.getState())).toBe(70);

  await page.commands.openAgain(ended!);
  expect(opened()).toEqual(['o/n@main']);
  expect(page.store.getState().endedOpenings).toEqual([]);
});

test('the user may open the demo instead, and is not asked about the model again', async () => {
  start('?model=o/n');
  mark('o/n');
  await page.commands.boot();
  expect(page.store.getState().endedOpenings).toHaveLength(1);
  await page.commands.openDemoInstead();
  expect(opened()).toEqual(['demo']);
  expect(page.address.search).toBe('?model=demo&by=ppl');
  opened();
  await page.commands.boot();
  expect(page.store.getState().endedOpenings).toEqual([]);
});

test('the user may remove the model: its bytes, its numbers, its mark', async () => {
  start().does.stored = () => [stored];
  page.saved.set(stored.id, savedOf(initialState));
  mark('o/n@main');
  await page.commands.boot();
  const [ended] = page.store.getState().endedOpenings;
  await page.commands.forgetEnded(ended!);
  expect(page.callsOf('forget')).toEqual([[stored.id]]);
  expect(page.saved.size).toBe(0);
  expect([...page.storage.keys()]).toEqual([]);
  expect(opened()).toEqual(['demo']);
});

test('a visit that was closed in order is no reason to ask about a model that has worked before', async () => {
  start().does.stored = () => [stored];
  page.lastSource = 'o/n@main';
  mark('o/n@main', { left: true });
  await page.commands.boot();
  expect(opened()).toEqual(['o/n@main']);
});

test('a laboratory that does not start is a failure of the page; news of the worker reach it all the same', async () => {
  start().answers = 0;
  await page.commands.boot();
  expect(page.store.getState()).toMatchObject({ ready: false, tasks: { load: { phase: 'failed' } } });
  page.news.restart('ONNX Runtime never answered.');
  expect(page.store.getState().interruption).toEqual({ phase: 'restarted', reason: 'ONNX Runtime never answered.' });
  page.news.superseded({ code: 'superseded', message: 'A newer version runs.', remedy: 'Reload.' } as never);
  expect(page.store.getState().tasks.load).toMatchObject({ failure: { message: 'A newer version runs.' } });
});

test('a worker that is silent for long is asked about', async () => {
  start();
  await page.commands.boot();
  page.news.silence(true);
  expect(page.store.getState().interruption).toMatchObject({ phase: 'asking', task: null });
  await page.commands.restartLaboratory();
  expect(page.callsOf('restart')).toHaveLength(1);
  expect(page.store.getState().interruption).toMatchObject({ phase: 'restarted' });
});
