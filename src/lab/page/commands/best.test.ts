/** @file The search under a budget as the page starts it: its result becomes the edited plan, its failure the task's state. */
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../../errors';
import { type TestPage, testDevice, testModel, testPage, without } from '../testing/page';

const model = testModel('m');
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model, { plan: without(model, 1), device: testDevice });
  return () => void vi.useRealTimers();
});

test('the found variant is shown on the strip, and undo comes back to the plan before', async () => {
  const variant = { id: 'v4', name: 'best', plan: without(model, 2, 3) };
  let asked: unknown;
  page.does.best = (request: Record<string, unknown>) => {
    asked = request;
    return { variant };
  };
  page.does.variants = () => [variant];
  await page.commands.findBest({ msShare: 0.8 });
  expect(asked).toMatchObject({ msShare: 0.8, evaluation: { samples: expect.any(Number) } });
  const { best, plan, variants, tasks } = page.store.getState();
  expect(best?.variant).toEqual(variant);
  expect(plan).toEqual(variant.plan);
  expect(variants).toEqual([variant]);
  expect(tasks.best).toEqual({ phase: 'done' });
  page.commands.undo();
  expect(page.store.getState().plan).toEqual(without(model, 1));
});

test('a budget that cannot be met leaves the plan as it is', async () => {
  page.does.best = () => {
    throw new LabError('bad-argument', 'best: the smallest variant takes 2 ms per token.', 'Give more.');
  };
  await page.commands.findBest({ msPerToken: 1 });
  const { best, plan, tasks } = page.store.getState();
  expect(best).toBeNull();
  expect(plan).toEqual(without(model, 1));
  expect(tasks.best).toMatchObject({ phase: 'failed', failure: { message: /takes 2 ms/ } });
});
