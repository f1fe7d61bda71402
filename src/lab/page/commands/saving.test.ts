/** @file The session survives a reload: written once the page is quiet, brought back once when its model opens. */
import { beforeEach, expect, test, vi } from 'vitest';
import { emptyPlan } from '../../../pruning/plan';
import { savedOf } from '../saved';
import { initialState } from '../store';
import { type TestPage, testDevice, testModel, testPage, without } from '../testing/page';

const model = testModel('hf:o/n');
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  page = testPage();
  page.store.setState({ ready: true, device: testDevice });
  page.does.loadForPage = () => model;
  return () => void vi.useRealTimers();
});

/** What an earlier session left behind. */
const session = {
  ...savedOf(initialState),
  calibration: { hash: 'h', seed: 1 } as never,
  scores: { taylor: { scores: [1] } as never },
  criterion: 'taylor' as const,
  plan: without(model, 1),
  ownWeights: null,
  past: [{ plan: emptyPlan(model.id), ownWeights: null }],
  base: { perplexity: 7, text: { hash: 't' } } as never,
  live: { selection: { plan: without(model, 1), ownWeights: null }, result: { perplexity: 9 } as never },
  comparison: [{ variant: 'v1' }] as never,
  record: { version: 2, comparison: [{ variant: 'v1' }] } as never,
};

const state = () => page.store.getState();

test('several changes are written once, when the page is quiet', async () => {
  page.show(model);
  const save = vi.spyOn(page.saved, 'set');
  for (const block of [0, 1, 2]) page.commands.toggleBlock(block);
  await vi.advanceTimersByTimeAsync(100);
  expect(save).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  expect(save).toHaveBeenCalledTimes(1);
  expect(page.saved.get(model.id)?.plan?.removeBlocks).toEqual([0, 1, 2]);
});

test('the session comes back with its model, and its numbers are not measured again', async () => {
  page.saved.set(model.id, session);
  page.does.variants = () => [{ id: 'v1' }];
  await page.commands.loadModel('o/n');
  expect(page.callsOf('restoreComparison')).toEqual([[session.record]]);
  expect(page.callsOf('perplexity')).toEqual([]);
  expect(page.callsOf('importance').map(([criterion]) => criterion)).not.toContain('taylor');
  expect(state()).toMatchObject({
    plan: { removeBlocks: [1] },
    past: session.past,
    draft: { shape: { layers: { length: 3 } } },
    base: { perplexity: 7 },
    live: { result: { perplexity: 9 } },
    criterion: 'taylor',
    variants: [{ id: 'v1' }],
  });
  page.commands.undo();
  expect(state().live?.result.perplexity).toBe(7);
});

test('a variant with weights of its own is shown again with them', async () => {
  const selection = { plan: without(model, 1), ownWeights: 'v7' };
  page.saved.set(model.id, { ...session, ...selection, live: { selection, result: { perplexity: 5 } as never } });
  page.does.variants = () => [{ id: 'v7', plan: selection.plan }];
  await page.commands.loadModel('o/n');
  expect(state()).toMatchObject({ ownWeights: 'v7', live: { result: { perplexity: 5 } } });
  expect(page.callsOf('perplexity')).toEqual([]);
});

test('where such a variant is no longer there, its plan is shown with the model’s weights, and measured', async () => {
  const selection = { plan: without(model, 1), ownWeights: 'v7' };
  const past = [{ plan: without(model, 2), ownWeights: 'v8' }];
  page.saved.set(model.id, { ...session, ...selection, past, live: { selection, result: { perplexity: 5 } as never } });
  page.does.variants = () => [];
  await page.commands.loadModel('o/n');
  expect(state()).toMatchObject({ plan: selection.plan, ownWeights: null, past: [{ ownWeights: null }] });
  expect(page.callsOf('perplexity').map(([target]) => target)).toEqual([without(model, 1)]);
  expect(state().live?.result.perplexity).toBe(2);
});

test('a chosen text that would have to be downloaded is not; numbers on it stay away', async () => {
  page.saved.set(model.id, { ...session, calibrationChoice: { corpus: 'c4' }, evaluationChoice: { corpus: 'wiki' } });
  page.does.texts = () => [
    { name: 'c4', kind: 'hub', stored: {} },
    { name: 'wiki', kind: 'hub', stored: null },
  ];
  await page.commands.loadModel('o/n');
  expect(state()).toMatchObject({ calibrationChoice: { corpus: 'c4' }, evaluationChoice: {} });
  expect(page.callsOf('perplexity').map(([target]) => target)).toEqual(['base', without(model, 1)]);
});

test('a session that cannot be restored is measured again', async () => {
  page.saved.set(model.id, session);
  page.does.restoreComparison = () => {
    throw new Error('not the form of today');
  };
  expect(await page.commands.loadModel('o/n')).toBe(true);
  expect(state()).toMatchObject({ plan: { removeBlocks: [] }, base: { perplexity: 2 } });
});

test('another model that opens right after an edit gets its own session, and the edit is not lost', async () => {
  const first = testModel('first');
  page.show(first);
  page.saved.set(model.id, session);
  page.commands.toggleBlock(3);
  await page.commands.loadModel('o/n');
  expect(page.saved.get('first')?.plan?.removeBlocks).toEqual([3]);
  expect(state()).toMatchObject({ model, plan: { removeBlocks: [1] } });
});

test('a forgotten model takes its session along, and is not opened at the next visit', async () => {
  page.saved.set(model.id, session);
  page.lastSource = model.source;
  page.store.setState({ stored: [model] });
  await page.commands.forgetModel(model.id);
  expect(page.saved.size).toBe(0);
  expect(page.lastSource).toBeNull();
});
