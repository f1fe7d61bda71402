/** @file The preset experiment: it makes what is missing, goes on after a reload, and ends when it is cancelled. */
import { beforeEach, expect, test, vi } from 'vitest';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import { presetExperiment } from '../../../retrain/preset';
import { allParts, choiceOf, experimentOf, isFinished } from '../experiment';
import { type TestPage, testModel, testPage } from '../testing/page';
import type { TrainingChoice } from '../training';

const model = testModel('demo');
const { cuts, trainings } = presetExperiment;
const count = cuts.length * trainings.length;
let page: TestPage;
/** What the laboratory has made. */
let rows: Record<string, unknown>[];

const row = (id: string, name: string, parent: string, plan: PruningPlan, more: object[] = []) => ({
  ...{ id, variant: id, name, parent, plan, ratio: 0.1, patchBytes: 0, perplexity: {} },
  recipe: [{ kind: 'prune', plan }, ...more],
});

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model);
  rows = [];
  page.does.variants = () => rows;
  page.does.comparison = () => rows;
  page.does.trainings = () => [];
  page.does.plan = ({ count: blocks }: { count: number }) => ({
    ...emptyPlan('demo'),
    removeBlocks: Array.from({ length: blocks }, (_, index) => index),
  });
  page.does.variant = (plan: PruningPlan, { name }: { name: string }) => {
    const made = row(`v${rows.length}`, name, 'base', plan);
    rows = [...rows, made];
    return made;
  };
  page.does.retrain = (id: string, request: TrainingChoice) => {
    const parent = rows.find((each) => each['variant'] === id)!;
    const { method, steps, batch, learningRate, seed } = request;
    const step = { kind: 'retrain', method, steps, batch, learningRate, seed };
    const variant = row(`v${rows.length}`, request.name ?? '', id, parent['plan'] as PruningPlan, [step]);
    rows = [...rows, variant];
    return { variant, losses: [], evaluations: [] };
  };
  return () => void vi.useRealTimers();
});

test('it makes both cuts, trains each in every way, and measures all', async () => {
  await page.commands.runExperiment();
  expect(page.callsOf('plan').map(([request]) => request)).toEqual(
    cuts.map((cut) => ({ criterion: presetExperiment.criterion, count: cut.count })),
  );
  expect(page.callsOf('retrain')).toHaveLength(count);
  const { comparison, tasks } = page.store.getState();
  expect(isFinished(experimentOf(comparison, []))).toBe(true);
  expect(tasks.experiment).toEqual({ phase: 'done' });
  const measured = new Set(page.callsOf('perplexity').map(([id]) => id));
  expect(measured.size).toBe(1 + cuts.length + count);
});

test('what is there is not made again; what the queue has goes on', async () => {
  await page.commands.runExperiment();
  const last = rows.at(-1)!;
  rows = rows.slice(0, -1);
  const request = choiceOf(trainings.at(-1)!);
  page.does.trainings = () => [{ id: 't9', variant: last['parent'], request, phase: 'interrupted', failure: null }];
  page.does.resumeTraining = () => {
    rows = [...rows, last];
    page.does.trainings = () => [];
    return { variant: last, losses: [], evaluations: [] };
  };
  page.calls.length = 0;
  await page.commands.runExperiment();
  expect(page.callsOf('plan')).toEqual([]);
  expect(page.callsOf('retrain')).toEqual([]);
  expect(page.callsOf('resumeTraining')).toMatchObject([['t9', {}]]);
  expect(isFinished(experimentOf(page.store.getState().comparison, []))).toBe(true);
});

test('a cancelled experiment ends its trainings and keeps what is there', async () => {
  page.does.retrain = () => new Promise(() => undefined);
  const run = page.commands.runExperiment();
  await vi.advanceTimersByTimeAsync(10);
  expect(page.callsOf('retrain')).toHaveLength(count);
  page.commands.cancelTask('experiment');
  await run;
  const { comparison, tasks } = page.store.getState();
  expect(tasks.experiment).toEqual({ phase: 'idle' });
  const state = experimentOf(comparison, []);
  expect(state.every(({ pruned }) => pruned !== null)).toBe(true);
  expect(allParts(state).every(({ row: made }) => made === null)).toBe(true);
});

test('other models have no such experiment', async () => {
  page.show(testModel('other'));
  await page.commands.runExperiment();
  expect(page.calls).toEqual([]);
});
