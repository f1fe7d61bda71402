/** @file Trainings as the page starts, follows and ends them, over a laboratory that answers as its contract says. */
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../../errors';
import type { Progress } from '../../../task';
import { type TestPage, testModel, testPage, without } from '../testing/page';
import type { TrainingChoice } from '../training';
import { readEveryMs } from './retrain';

const model = testModel('m');
const choice: TrainingChoice = { method: 'lora', steps: 4, batch: 2, learningRate: 1e-3 };
const pruned = { id: 'v1', name: 'pruned', parent: 'base', plan: without(model, 1), recipe: [] };
const trained = {
  ...{ id: 'v2', name: 'trained', parent: 'v1', plan: without(model, 1) },
  recipe: [{ kind: 'retrain', method: 'lora' }],
};
const result = {
  variant: trained,
  losses: [{ step: 1, loss: 2, learningRate: 1e-3 }],
  evaluations: [{ step: 0, perplexity: 9 }],
};
const info = (phase: string, id = 't1') => ({
  ...{ id, variant: 'v1', variantName: 'pruned', request: choice, phase, step: 1, steps: 4 },
  ...{ losses: result.losses, evaluations: result.evaluations, checkpoint: 1, failure: null },
});
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model, { plan: without(model, 1) });
  page.does.variants = () => [pruned];
  page.does.trainings = () => [];
  return () => void vi.useRealTimers();
});

test('the shown plan is trained; its variant is shown and measured beside the one it was made from', async () => {
  page.does.variant = () => pruned;
  page.does.retrain = () => {
    page.does.variants = () => [pruned, trained];
    return result;
  };
  await page.commands.train([null], choice);
  expect(page.callsOf('retrain')[0]).toMatchObject(['v1', { ...choice, evaluation: { samples: expect.any(Number) } }]);
  const { ownWeights, trained: ended, variants } = page.store.getState();
  expect(ownWeights).toBe('v2');
  expect(variants).toHaveLength(2);
  expect(ended).toMatchObject([{ variant: 'v2', parent: 'v1', losses: result.losses }]);
  expect(page.callsOf('perplexity').map(([id]) => id)).toEqual(expect.arrayContaining(['v1', 'v2']));
});

test('several variants are asked for at once, each once', async () => {
  page.does.retrain = () => result;
  await page.commands.train(['v1', 'v3', 'v1'], choice);
  expect(page.callsOf('retrain').map(([id]) => id)).toEqual(['v1', 'v3']);
});

test('a training that ends after the user has edited the plan does not take the plan away', async () => {
  let end = (_: unknown): void => undefined;
  page.does.retrain = () => new Promise((resolve) => (end = resolve));
  const training = page.commands.train(['v1'], choice);
  await vi.advanceTimersByTimeAsync(10);
  page.commands.toggleBlock(2);
  page.does.variants = () => [pruned, trained];
  end(result);
  await training;
  expect(page.store.getState()).toMatchObject({ ownWeights: null, plan: without(model, 1, 2) });
  expect(page.store.getState().trained).toHaveLength(1);
});

test('the queue is read when a training starts, and while it reports at most twice a second', async () => {
  let report = (_: Progress): void => undefined;
  page.does.retrain = (_id: string, { onProgress }: { onProgress: (progress: Progress) => void }) => {
    report = onProgress;
    return new Promise(() => undefined);
  };
  page.does.trainings = () => [info('running')];
  void page.commands.train(['v1'], choice);
  await vi.advanceTimersByTimeAsync(1);
  const before = page.callsOf('trainings').length;
  expect(before).toBe(1);
  for (let i = 0; i < 20; i += 1) {
    report({ stage: 'Training', done: i, total: 20, unit: 'steps' });
    await vi.advanceTimersByTimeAsync(readEveryMs / 10);
  }
  expect(page.callsOf('trainings').length - before).toBe(2);
  expect(page.store.getState().trainings).toMatchObject([{ phase: 'running' }]);
});

test('an interrupted training is found when the model opens, and what is there can be kept', async () => {
  page.does.trainings = () => [info('interrupted')];
  page.does.calibrate = () => ({ hash: 'h', seed: 1, tokens: 10 });
  const opening = page.commands.loadModel('o/n');
  await vi.runAllTimersAsync();
  await opening;
  expect(page.store.getState().trainings).toMatchObject([{ phase: 'interrupted', step: 1 }]);
  page.does.stopTraining = () => {
    page.does.trainings = () => [];
    page.does.variants = () => [pruned, trained];
  };
  await page.commands.stopTraining('t1', true);
  expect(page.callsOf('stopTraining')).toEqual([['t1', { keep: true }]]);
  const { trainings, trained: ended } = page.store.getState();
  expect(trainings).toEqual([]);
  expect(ended).toMatchObject([{ variant: 'v2', losses: result.losses }]);
});

test('resuming goes on to the trained variant', async () => {
  page.store.setState({ trainings: [info('interrupted')] as never });
  page.does.resumeTraining = () => {
    page.does.variants = () => [pruned, trained];
    return result;
  };
  await page.commands.resumeTraining('t1');
  expect(page.store.getState()).toMatchObject({ ownWeights: 'v2', trained: [{ variant: 'v2' }] });
});

test('a training that fails says why and leaves the plan; a discarded one says nothing', async () => {
  page.does.retrain = () => {
    throw new LabError('non-finite', 'Step 3: the loss is no number.', 'Train with a lower learning rate.');
  };
  await page.commands.train(['v1'], choice);
  const failed = Object.values(page.store.getState().tasks).filter((task) => task?.phase === 'failed');
  expect(failed).toMatchObject([{ failure: { code: 'non-finite' } }]);
  expect(page.store.getState().ownWeights).toBeNull();
  page.does.retrain = () => {
    throw new LabError('aborted', 'The training was discarded.', '');
  };
  page.store.setState({ tasks: {} });
  await page.commands.train(['v1'], choice);
  expect(Object.values(page.store.getState().tasks).filter((task) => task?.phase === 'failed')).toEqual([]);
});

test('the memory of the last question counts; a laboratory that cannot tell leaves the line out', async () => {
  const answers: ((value: unknown) => void)[] = [];
  page.does.trainingMemory = () => new Promise((resolve) => void answers.push(resolve));
  const first = page.commands.askTrainingMemory('v1', choice);
  const second = page.commands.askTrainingMemory('v1', { ...choice, batch: 4 });
  answers[1]?.({ total: 2 });
  answers[0]?.({ total: 1 });
  await Promise.all([first, second]);
  expect(page.store.getState().trainingMemory).toMatchObject({ memory: { total: 2 }, ofBase: false });
  page.does.trainingMemory = () => {
    throw new LabError('unsupported-limit', 'too large', 'Train a smaller variant.');
  };
  await page.commands.askTrainingMemory(null, choice);
  expect(page.store.getState().trainingMemory).toMatchObject({ failure: { message: 'too large' }, ofBase: true });
});

test('pairs of a data set are fetched as a task that can be cancelled; a failure is its state', async () => {
  page.does.readInstructions = () => ({ pairs: [], source: 'hf:o/n@1/a', revision: '1', complete: true });
  expect(await page.commands.readDataset('o/n')).toMatchObject({ source: 'hf:o/n@1/a' });
  expect(page.callsOf('readInstructions')[0]?.[0]).toEqual({ dataset: 'o/n' });
  page.does.readInstructions = () => {
    throw new LabError('gated', 'It is gated.', 'Choose its file.');
  };
  expect(await page.commands.readDataset('o/n')).toBeUndefined();
  expect(page.store.getState().tasks.instructions).toMatchObject({ phase: 'failed', failure: { code: 'gated' } });
});
