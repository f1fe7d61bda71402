/** @file The built-in questions on the page: who is asked, how many, and what a cancelled round keeps. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { LabError } from '../../../errors';
import { type TestPage, testDevice, testModel, testPage } from '../testing/page';

type Row = { variant: string; name: string; tasks?: { task: string; items: number }[]; patchLost?: true };

let page: TestPage;
let rows: Row[];

beforeEach(() => {
  page = testPage();
  rows = ['base', 'v1', 'v2'].map((variant) => ({ variant, name: variant }));
  page.does.comparison = () => structuredClone(rows);
  page.does.evaluate = (id: string, { task, limit: items }: { task: string; limit: number }) => {
    rows.find(({ variant }) => variant === id)!.tasks = [{ task, items }];
  };
  page.show(testModel('m'), { comparison: structuredClone(rows) as never });
});

const asked = (): unknown[] => page.callsOf('evaluate').map(([id]) => id);

test('the original model and every variant are asked all questions, and each only once', async () => {
  rows[2]!.patchLost = true;
  page.store.setState({ comparison: structuredClone(rows) as never });
  await page.commands.askQuestions();
  expect(page.callsOf('evaluate').map(([id, request]) => [id, request])).toEqual(
    ['base', 'v1'].map((id) => [id, expect.objectContaining({ task: 'story-endings', limit: 100 })]),
  );
  expect(page.store.getState().comparison[1]?.tasks).toEqual([{ task: 'story-endings', items: 100 }]);
  await page.commands.askQuestions();
  expect(asked()).toHaveLength(2);
});

test('an emulated GPU is asked fewer questions, and rows with another number of them again', async () => {
  rows[0]!.tasks = [{ task: 'story-endings', items: 100 }];
  page.store.setState({ device: { ...testDevice, software: true }, comparison: structuredClone(rows) as never });
  await page.commands.askQuestions();
  expect(asked()).toEqual(['base', 'v1', 'v2']);
  expect(page.callsOf('evaluate')[0]?.[1]).toMatchObject({ limit: 20 });
});

test('a broken variant is passed over; another failure ends the round and is shown', async () => {
  const { evaluate } = page.does;
  page.does.evaluate = (id: string, request: unknown) => {
    if (id === 'v1') throw new LabError('non-finite', 'x is Infinity.', 'Get another copy.');
    return evaluate?.(id, request);
  };
  await page.commands.askQuestions();
  expect(asked()).toEqual(['base', 'v1', 'v2']);
  expect(page.store.getState().tasks.questions?.phase).toBe('done');
  page.does.evaluate = () => {
    throw new LabError('network', 'The stories could not be read.', 'Try again.');
  };
  await page.commands.askQuestions();
  expect(page.store.getState().tasks.questions).toMatchObject({ phase: 'failed', failure: { code: 'network' } });
});

test('a cancelled round keeps the answers that it has', async () => {
  const { evaluate } = page.does;
  const open = deferred<unknown>();
  page.does.evaluate = (id: string, request: unknown) => (id === 'v1' ? open.promise : evaluate?.(id, request));
  const running = page.commands.askQuestions();
  await vi.waitFor(() => expect(asked()).toEqual(['base', 'v1']));
  page.commands.cancelTask('questions');
  await running;
  expect(page.store.getState().tasks.questions).toEqual({ phase: 'idle' });
  expect(page.store.getState().comparison[0]?.tasks).toHaveLength(1);
});

test('a variant that was discarded meanwhile is not asked', async () => {
  const { evaluate } = page.does;
  page.does.evaluate = (id: string, request: unknown) => {
    evaluate?.(id, request);
    rows = rows.filter(({ variant }) => variant !== 'v1');
  };
  await page.commands.askQuestions();
  expect(asked()).toEqual(['base', 'v2']);
});
