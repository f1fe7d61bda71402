/** @file What the page's comparison asks of the laboratory, and what it keeps of the answer. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { type TestPage, testModel, testPage } from '../testing/page';

const choice = { budget: { ratio: 0.2 }, methods: ['ppl', 'flap'] };
const refused = { method: 'flap', message: 'No heads.', remedy: 'Choose another.' };
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(testModel('m'), { evaluationChoice: { corpus: 'mine', samples: 3 } });
  return () => void vi.useRealTimers();
});

test('perplexities are measured on the page’s held-out tokens; what was measured survives, with the refusals', async () => {
  page.does.compare = () => [{ variant: 'base', refused: [refused] }];
  page.does.comparison = () => [{ variant: 'base' }, { variant: 'v1' }];
  await page.commands.compare(choice);
  expect(page.callsOf('compare')[0]![0]).toMatchObject({ ...choice, evaluation: { corpus: 'mine', samples: 3 } });
  expect(page.store.getState()).toMatchObject({ refused: [refused], tasks: { compare: { phase: 'done' } } });
  expect(page.store.getState().comparison).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(page.saved.get('m')?.comparison).toHaveLength(2);
});

test('each stage brings the rows that the last one measured; a cancelled comparison keeps them', async () => {
  const answer = deferred<unknown>();
  type Progress = { onProgress: (progress: { stage: string; done: number; total: number; unit: string }) => void };
  let tell: Progress['onProgress'] | undefined;
  page.does.compare = ({ onProgress }: Progress) => {
    tell = onProgress;
    return answer.promise;
  };
  const running = page.commands.compare(choice);
  await vi.waitFor(() => expect(tell).toBeDefined());
  page.does.comparison = () => [{ variant: 'base' }, { variant: 'v1' }];
  tell!({ stage: 'Taylor', done: 1, total: 2, unit: 'rounds' });
  tell!({ stage: 'Taylor', done: 2, total: 2, unit: 'rounds' });
  await vi.waitFor(() => expect(page.store.getState().comparison).toHaveLength(2));
  expect(page.callsOf('comparison')).toHaveLength(1);
  page.commands.cancelTask('compare');
  await running;
  expect(page.store.getState().tasks.compare).toEqual({ phase: 'idle' });
  expect(page.store.getState().comparison).toHaveLength(2);
});

test('an image goes where downloads go', () => {
  const file = new File(['x'], 'chart.png');
  page.commands.saveImage(file);
  expect(page.downloads).toEqual([file]);
});
