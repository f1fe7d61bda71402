/** @file Editing the plan, undo and redo, and the live numbers that follow. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { LabError } from '../../../errors';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import type { VariantInfo } from '../../contract/types';
import { type TestPage, testModel, testPage, without } from '../testing/page';

const model = testModel('m');
let page: TestPage;

/** Perplexity of what is asked: 2 of the base, 2 + the sum of the removed blocks of a plan, 100 of a variant. */
const perplexityOf = (target: string | PruningPlan): unknown => {
  if (typeof target === 'string') return { perplexity: target === 'base' ? 2 : 100 };
  return { perplexity: 2 + target.removeBlocks.reduce((a, b) => a + b, 0) };
};

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model);
  page.does.perplexity = perplexityOf;
  return () => void vi.useRealTimers();
});

const state = () => page.store.getState();
const measured = () => page.callsOf('perplexity').map(([target]) => target);
/** What the page shows: the live number, if it is one of what is being edited. */
const shown = () => {
  const { live, plan, ownWeights } = state();
  const isCurrent = live?.selection.plan === plan && live?.selection.ownWeights === ownWeights;
  return isCurrent ? live?.result.perplexity : null;
};
const settle = () => vi.advanceTimersByTimeAsync(200);

test('an edit shows its size at once, and its perplexity once the clicks have settled', async () => {
  page.commands.toggleBlock(1);
  expect(state()).toMatchObject({
    plan: { removeBlocks: [1] },
    draft: { shape: { layers: { length: 3 } } },
    live: null,
  });
  await vi.advanceTimersByTimeAsync(100);
  page.commands.toggleBlock(3);
  await vi.advanceTimersByTimeAsync(100);
  expect(measured()).toEqual([]);
  await settle();
  expect(measured()).toEqual(['base', without(model, 1, 3)]);
  expect(shown()).toBe(6);
  expect(state()).toMatchObject({ base: { perplexity: 2 }, tasks: { live: { phase: 'done' } } });
});

test('undo and redo bring back plan, size and number without measuring again', async () => {
  page.commands.toggleBlock(1);
  await settle();
  page.commands.toggleBlock(2);
  await settle();
  const count = measured().length;
  page.commands.undo();
  expect(state().plan).toEqual(without(model, 1));
  expect(shown()).toBe(3);
  page.commands.undo();
  expect(state().plan).toEqual(emptyPlan('m'));
  expect(shown()).toBe(2);
  page.commands.redo();
  page.commands.redo();
  expect(state().plan).toEqual(without(model, 1, 2));
  expect(shown()).toBe(5);
  await settle();
  expect(measured()).toHaveLength(count);
  page.commands.undo();
  page.commands.toggleBlock(3);
  expect(state().future).toEqual([]);
});

test('the outdated measurement is cancelled; its number never shows on the newer plan', async () => {
  const slow = deferred<unknown>();
  let signal: AbortSignal | undefined;
  page.does.perplexity = (target: string | PruningPlan, task: { signal: AbortSignal }) => {
    if (typeof target !== 'string' && target.removeBlocks.length === 1) {
      ({ signal } = task);
      return slow.promise;
    }
    return perplexityOf(target);
  };
  page.commands.toggleBlock(1);
  await settle();
  expect(signal?.aborted).toBe(false);
  page.commands.toggleBlock(2);
  await settle();
  expect(signal?.aborted).toBe(true);
  expect(shown()).toBe(5);
  slow.resolve({ perplexity: 99 });
  await settle();
  expect(shown()).toBe(5);
  page.commands.undo();
  expect(shown()).toBeNull(); // the late answer was not kept
});

test('an undo to a known plan cancels the measurement of the plan that it leaves', async () => {
  page.commands.toggleBlock(1);
  await settle();
  page.does.perplexity = () => new Promise(() => undefined);
  page.commands.toggleBlock(2);
  await settle();
  expect(state().tasks.live?.phase).toBe('running');
  page.commands.undo();
  await settle();
  expect(state().tasks.live).toEqual({ phase: 'idle' });
  expect(shown()).toBe(3);
});

test('a cancelled measurement leaves the plan without a number; a retry measures it', async () => {
  page.does.perplexity = (target) => (target === 'base' ? perplexityOf('base') : new Promise(() => undefined));
  page.commands.toggleBlock(1);
  await settle();
  page.commands.cancelTask('live');
  await settle();
  expect(state().tasks.live).toEqual({ phase: 'idle' });
  expect(shown()).toBeNull();
  page.does.perplexity = perplexityOf;
  page.commands.toggleBlock(2);
  page.commands.undo();
  await settle();
  expect(shown()).toBe(3);
});

test('a failed measurement says why, keeps no number, and goes with the next one', async () => {
  page.does.perplexity = (target) => {
    if (target === 'base') return perplexityOf(target);
    throw new LabError('out-of-memory', 'It does not fit.', 'Bound the memory.');
  };
  page.commands.toggleBlock(1);
  await settle();
  expect(state().tasks.live).toMatchObject({ phase: 'failed', failure: { code: 'out-of-memory' } });
  expect(shown()).toBeNull();
  expect(state().base).toMatchObject({ perplexity: 2 });
  page.does.perplexity = perplexityOf;
  page.commands.undo();
  page.commands.redo();
  await settle();
  expect(state().tasks.live).toEqual({ phase: 'done' });
  expect(shown()).toBe(3);
});

test('a number that arrives after another model has opened is dropped', async () => {
  const slow = deferred<unknown>();
  page.does.perplexity = (target) => (target === 'base' ? perplexityOf(target) : slow.promise);
  page.commands.toggleBlock(1);
  await settle();
  const other = testModel('other');
  page.show(other);
  slow.resolve({ perplexity: 99 });
  await settle();
  expect(state()).toMatchObject({ model: other, live: null, base: null });
});

test('the last block stays; the last sub-block too', () => {
  page.commands.applySearch('sleb', 3); // there is no search: nothing happens
  for (const block of [0, 1, 2, 3]) page.commands.toggleBlock(block);
  expect(state().plan?.removeBlocks).toEqual([0, 1, 2]);
  page.commands.toggleSubBlock({ kind: 'attention', layer: 3 });
  page.commands.toggleSubBlock({ kind: 'mlp', layer: 3 });
  expect(state().plan).toMatchObject({ removeBlocks: [0, 1, 2], removeAttention: [3], removeMlp: [] });
  page.commands.toggleBlock(0);
  expect(state().plan?.removeBlocks).toEqual([1, 2]);
  page.commands.resetPlan();
  expect(state().plan).toEqual(emptyPlan('m'));
});

test('a proposal removes what the chosen criterion ranks lowest, and keeps one block', () => {
  page.store.setState({ scores: { ppl: { scores: [4, 3, 2, 1] } as never } });
  page.commands.proposeCount(2);
  expect(state().plan?.removeBlocks).toEqual([2, 3]);
  page.commands.proposeCount(9);
  expect(state().plan?.removeBlocks).toEqual([1, 2, 3]);
});

test('a search and a found set are applied as they removed', () => {
  const steps = [
    { layer: 2, part: 'mlp', perplexity: 3 },
    { layer: 2, part: 'attention', perplexity: 4 },
  ];
  page.store.setState({
    searches: { 'block-pruner': { steps } as never },
    evolution: { removed: steps.slice(0, 1) } as never,
  });
  page.commands.applySearch('block-pruner', 2);
  expect(state().plan).toMatchObject({ removeBlocks: [2], removeMlp: [] });
  page.commands.applyEvolution();
  expect(state().plan).toMatchObject({ removeBlocks: [], removeMlp: [2] });
  const { past } = state();
  page.commands.applyEvolution(); // it is applied already
  expect(state().past).toBe(past);
});

const own = {
  id: 'v7',
  name: 'repaired',
  plan: without(model, 1),
  patchBytes: 12,
  recipe: [{ kind: 'prune' }, { kind: 'patch' }],
} as unknown as VariantInfo;
const plain = {
  ...own,
  id: 'v1',
  name: 'without 1',
  patchBytes: 0,
  recipe: [{ kind: 'prune' }],
} as unknown as VariantInfo;

/** The laboratory and the page have these variants. */
function list(...variants: VariantInfo[]): void {
  page.does.variants = () => variants;
  page.store.setState({ variants });
}

test('a variant with weights of its own shows its own number, the same plan without them another', async () => {
  list(plain, own);
  page.commands.showVariant('v1');
  await settle();
  expect(state().ownWeights).toBeNull();
  expect(shown()).toBe(3);
  page.commands.showVariant('v7');
  expect(state()).toMatchObject({ plan: own.plan, ownWeights: 'v7' });
  expect(shown()).toBeNull();
  await settle();
  expect(measured().at(-1)).toBe('v7');
  expect(shown()).toBe(100);
  page.commands.undo();
  expect(shown()).toBe(3);
  page.commands.redo();
  expect(state().ownWeights).toBe('v7');
  expect(shown()).toBe(100);
});

test('an edit of such a variant goes on with the model’s weights; undo comes back to its own', async () => {
  list(own);
  page.commands.showVariant('v7');
  await settle();
  page.commands.toggleBlock(2);
  expect(state()).toMatchObject({ plan: without(model, 1, 2), ownWeights: null });
  await settle();
  expect(shown()).toBe(5);
  page.commands.toggleBlock(2);
  await settle();
  expect(state().ownWeights).toBeNull();
  expect(shown()).toBe(3);
  page.commands.undo();
  page.commands.undo();
  expect(state().ownWeights).toBe('v7');
  expect(shown()).toBe(100);
});

test('weights of its own on the base’s shape are not the base', async () => {
  const patched = { ...own, plan: emptyPlan('m') };
  list(patched);
  page.commands.showVariant('v7');
  await settle();
  expect(measured()).toEqual(['base', 'v7']);
  expect(state()).toMatchObject({ base: { perplexity: 2 }, live: { result: { perplexity: 100 } } });
  page.commands.resetPlan();
  await settle();
  expect(state()).toMatchObject({ ownWeights: null, live: { result: { perplexity: 2 } } });
});

test('a discarded variant takes its weights along: the plan stays, with the model’s, in every step of undo', async () => {
  list(own);
  page.commands.showVariant('v7');
  await settle();
  page.commands.toggleBlock(2);
  page.commands.undo();
  expect(state().ownWeights).toBe('v7');
  page.does.variants = () => [];
  await page.commands.discardVariant('v7');
  expect(page.callsOf('discard')).toEqual([['v7']]);
  expect(state()).toMatchObject({ plan: own.plan, ownWeights: null, variants: [] });
  await settle();
  expect(shown()).toBe(3);
  expect([...state().past, ...state().future].every(({ ownWeights }) => ownWeights === null)).toBe(true);
});

test('a variant that cannot be discarded stays, and the page says why', async () => {
  list(own);
  page.does.discard = () => {
    throw new LabError('internal', 'No.', 'Try again.');
  };
  page.commands.showVariant('v7');
  await page.commands.discardVariant('v7');
  expect(state()).toMatchObject({ ownWeights: 'v7', tasks: { benchmark: { phase: 'failed' } } });
});

test('variants of a script appear on the page; a discarded one takes its weights along', async () => {
  page.address = new URL('http://localhost/?model=');
  await page.commands.boot();
  page.does.variants = () => [own];
  page.does.comparison = () => [{ variant: 'base' }, { variant: 'v7' }];
  for (let call = 0; call < 5; call += 1) page.news.variantsChange();
  await settle();
  expect(page.callsOf('variants')).toHaveLength(1);
  expect(page.callsOf('storage')).toHaveLength(1); // the list of stored models shows their size
  expect(state()).toMatchObject({ variants: [own], comparison: [{}, { variant: 'v7' }] });
  page.commands.showVariant('v7');
  await settle();
  page.does.variants = () => [];
  page.news.variantsChange();
  await settle();
  expect(state()).toMatchObject({ plan: own.plan, ownWeights: null });
});
