/** @file Criteria and searches: what is measured once, kept when it is cancelled, and dropped when it belongs to other tokens. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { LabError } from '../../../errors';
import type { SearchProgress } from '../../../importance/search/found';
import { type TestPage, testModel, testPage } from '../testing/page';

const model = testModel('m');
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model);
  return () => void vi.useRealTimers();
});

const state = () => page.store.getState();
const asked = () =>
  page.callsOf('importance').map(([criterion, options]) => [criterion, (options as { unit?: string }).unit]);

test('a criterion is measured when it is chosen, and once', async () => {
  await page.commands.chooseCriterion('magnitude');
  expect(state()).toMatchObject({ criterion: 'magnitude', scores: { magnitude: { scores: [4, 3, 2, 1] } } });
  await page.commands.chooseCriterion('magnitude');
  expect(asked()).toEqual([['magnitude', undefined]]);
});

test('sub-blocks are measured in two parts; the first stays when the second is cancelled', async () => {
  page.does.importance = (_criterion, { unit }: { unit: string }) =>
    unit === 'mlp' ? new Promise(() => undefined) : { scores: [1] };
  const measuring = page.commands.chooseUnits('subBlocks');
  await vi.waitFor(() =>
    expect(asked()).toEqual([
      ['ppl', 'attention'],
      ['ppl', 'mlp'],
    ]),
  );
  page.commands.cancelTask('subBlocks:ppl');
  await measuring;
  expect(state().subBlockScores.ppl).toEqual({ attention: { scores: [1] } });
  delete page.does.importance;
  await page.commands.measureSubBlocks('ppl');
  expect(asked().slice(2)).toEqual([['ppl', 'mlp']]);
  expect(state().tasks['subBlocks:ppl']).toEqual({ phase: 'done' });
});

test('random scores shuffle attentions and MLPs with different seeds', async () => {
  page.store.setState({ calibration: { hash: 'h', seed: 5 } as never });
  await page.commands.measureSubBlocks('random');
  expect(page.callsOf('importance').map(([, options]) => (options as { seed: number }).seed)).toEqual([5, 6]);
});

test('all criteria: one combined pass, then the others; what is there is not measured again', async () => {
  page.store.setState({ scores: { magnitude: { scores: [0] } as never } });
  page.does.survey = () => ({ taylor: { scores: [1] }, angular: { scores: [2] }, magnitude: { scores: [9] } });
  await page.commands.measureAll(['taylor', 'angular', 'magnitude', 'ppl']);
  expect(asked()).toEqual([['ppl', undefined]]);
  expect(state().scores).toMatchObject({ taylor: { scores: [1] }, magnitude: { scores: [0] }, ppl: {} });
});

test('a cancelled survey keeps what it has measured', async () => {
  page.does.survey = () => ({ taylor: { scores: [1] } });
  page.does.importance = () => new Promise(() => undefined);
  const measuring = page.commands.measureAll(['ppl']);
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  page.commands.cancelTask('survey');
  await measuring;
  expect(state()).toMatchObject({ scores: { taylor: { scores: [1] } }, tasks: { survey: { phase: 'idle' } } });
});

test('a failed criterion is shown, and measured at the next try', async () => {
  page.does.importance = () => {
    throw new LabError('device-lost', 'The GPU is gone.', 'Reload.');
  };
  await page.commands.measure('ppl');
  expect(state().tasks['importance:ppl']).toMatchObject({ phase: 'failed', failure: { code: 'device-lost' } });
  delete page.does.importance;
  await page.commands.measure('ppl');
  expect(state().tasks['importance:ppl']).toEqual({ phase: 'done' });
});

const step = { layer: 1, part: 'block', perplexity: 3 };
const barriers = { first: 1, last: 1 };

/** A search that reports this and goes on until it is cancelled. */
function reports(progress: Partial<SearchProgress>): void {
  page.does.importance = (_criterion, { onProgress }: { onProgress: (progress: SearchProgress) => void }) => {
    onProgress({ stage: 'Searching', done: 1, total: 3, unit: 'steps', ...progress } as SearchProgress);
    return new Promise(() => undefined);
  };
}

test('a search that ends is kept with its choices', async () => {
  page.does.importance = () => ({ steps: [step, step], milliseconds: 5, device: { adapter: 'x' }, calibration: null });
  await page.commands.runSearch('sleb', { barriers });
  expect(page.callsOf('importance')[0]).toMatchObject(['sleb', { barriers, plus: false }]);
  expect(state().searches.sleb).toMatchObject({ steps: [step, step], complete: true, plus: false, barriers });
});

test('a cancelled search keeps the steps that it found; one that found nothing leaves the earlier result', async () => {
  reports({ found: [step] } as never);
  const searching = page.commands.runSearch('sleb');
  await vi.advanceTimersByTimeAsync(0);
  page.commands.cancelTask('search:sleb');
  await searching;
  expect(state().searches.sleb).toMatchObject({ steps: [step], complete: false });
  reports({});
  const again = page.commands.runSearch('sleb');
  await vi.advanceTimersByTimeAsync(0);
  page.commands.cancelTask('search:sleb');
  await again;
  expect(state().searches.sleb?.steps).toEqual([step]);
});

test('a cancelled evolutionary search keeps its best set', async () => {
  const evolution = { removed: [{ layer: 1, part: 'block' }], trace: [{ generation: 0, kl: 1, evaluations: 2 }] };
  reports({ evolution } as never);
  const searching = page.commands.runEvolution({ unit: 'block', count: 1, barriers });
  await vi.advanceTimersByTimeAsync(0);
  page.commands.cancelTask('evolution');
  await searching;
  expect(state().evolution).toMatchObject({
    ...evolution,
    asked: { unit: 'block', count: 1 },
    barriers,
    perplexity: null,
    complete: false,
  });
});

test('a search that ends on other calibration tokens than the page’s is dropped', async () => {
  const end = deferred<unknown>();
  page.does.importance = () => end.promise;
  const searching = page.commands.runSearch('sleb');
  page.store.setState({ calibration: { hash: 'other' } as never });
  end.resolve({ steps: [step], calibration: null });
  await searching;
  expect(state().searches).toEqual({});
});

test('another calibration text: old scores and searches go, running ones are cancelled, the shown ones come back', async () => {
  page.store.setState({ scores: { taylor: { scores: [1] } as never }, searches: { sleb: { steps: [] } as never } });
  page.does.importance = (criterion) =>
    criterion === 'sleb' ? new Promise(() => undefined) : { criterion, scores: [1, 2] };
  page.does.calibrate = () => ({ hash: 'new', seed: 1 });
  const searching = page.commands.runSearch('sleb');
  await page.commands.chooseCalibration({ corpus: 'c4' });
  await searching;
  expect(state()).toMatchObject({ calibrationChoice: { corpus: 'c4' }, calibration: { hash: 'new' }, searches: {} });
  expect(Object.keys(state().scores).sort()).toEqual(['angular', 'block-influence', 'magnitude', 'ppl']);
  expect(state().tasks['search:sleb']).toEqual({ phase: 'idle' });
});

test('a calibration text that cannot be read leaves the old one with its scores', async () => {
  page.store.setState({ scores: { taylor: { scores: [1] } as never } });
  page.does.calibrate = () => {
    throw new LabError('network', 'No answer.', 'Try again.');
  };
  await page.commands.chooseCalibration({ corpus: 'c4' });
  expect(state()).toMatchObject({ calibrationChoice: {}, scores: { taylor: { scores: [1] } } });
  expect(state().tasks['text:calibration']).toMatchObject({ phase: 'failed' });
});

test('another evaluation text: the base and the plan are measured on it, and no number of the old one is shown', async () => {
  page.does.perplexity = (target, { corpus = 'built-in' }: { corpus?: string }) => ({
    perplexity: corpus === 'wiki' ? 50 : 2,
    target,
  });
  page.commands.toggleBlock(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(state().live?.result.perplexity).toBe(2);
  await page.commands.chooseEvaluation({ corpus: 'wiki' });
  expect(state()).toMatchObject({ evaluationChoice: { corpus: 'wiki' }, base: { perplexity: 50 } });
  expect(state().live?.result.perplexity).toBe(50);
  page.commands.undo();
  await vi.advanceTimersByTimeAsync(500);
  expect(state().live?.result.perplexity).toBe(50);
});

test('an evaluation text that fails or is cancelled changes nothing', async () => {
  page.does.perplexity = () => new Promise(() => undefined);
  const choosing = page.commands.chooseEvaluation({ corpus: 'wiki' });
  await vi.advanceTimersByTimeAsync(0);
  page.commands.cancelTask('text:evaluation');
  await choosing;
  expect(state()).toMatchObject({ evaluationChoice: {}, base: null });
});

test('a removed text gives way to the built-in one where it was chosen', async () => {
  page.store.setState({ calibrationChoice: { corpus: 'mine' }, evaluationChoice: { corpus: 'mine' } });
  await page.commands.forgetText('mine');
  expect(page.callsOf('forgetText')).toEqual([['mine']]);
  expect(state()).toMatchObject({ calibrationChoice: {}, evaluationChoice: {} });
});

test('an added text has a name and is listed', async () => {
  page.does.addText = () => ({ name: 'text:1' });
  page.does.texts = () => [{ name: 'text:1' }];
  expect(await page.commands.addText('words')).toEqual({ name: 'text:1' });
  expect(state().corpora).toEqual([{ name: 'text:1' }]);
});
