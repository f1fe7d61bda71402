/** @file The page's text: it grows in the store while it is written, and then names the device that wrote it. */
import { beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import type { GenerateOptions, GenerateResult } from '../../contract/types';
import type { LabState } from '../store';
import { type TestPage, testModel, testPage, without } from '../testing/page';

const device = { adapter: 'a gpu', software: false, runtime: 'WGSL engine' };
const model = testModel('m');
const cut = without(model, 1);
const selection = { plan: cut, ownWeights: null };

/** Says a text word by word; waits before its last word until `gate` opens. */
function says(words: readonly string[], gate: Promise<unknown> = Promise.resolve()) {
  return async (_target: unknown, _prompt: unknown, { onProgress }: GenerateOptions): Promise<GenerateResult> => {
    for (const [index, word] of words.entries()) {
      if (index === words.length - 1) await gate;
      const text = words.slice(0, index).join('') + word;
      onProgress?.({ stage: 'Writing', done: index + 1, total: words.length, unit: 'tokens', text });
    }
    return { text: words.join(''), tokenIds: [], runtime: 'wgsl', device };
  };
}

let page: TestPage;
let shown: Omit<LabState['texts'], 'prompt'>[];

/** Texts that the model writes, one after the other. */
function answer(...texts: ReturnType<typeof says>[]): void {
  page.does.generate = (...args) => texts.shift()?.(...(args as Parameters<ReturnType<typeof says>>));
}

beforeEach(() => {
  page = testPage();
  page.show(model, { plan: cut, texts: { prompt: '', base: null, variant: null } });
  shown = [];
  page.store.subscribe(({ texts: { base, variant } }, before) => {
    if (base !== before.texts.base || variant !== before.texts.variant) shown.push({ base, variant });
  });
});

test('both texts grow, the base’s first, and each names at its end the device that wrote it', async () => {
  answer(says(['a', ' b']), says(['c', ' d']));
  await page.commands.write('one');
  expect(page.callsOf('generate').map(([target]) => target)).toEqual(['base', cut]);
  const base = { text: 'a b', by: device };
  const states = shown.filter((state, index) => JSON.stringify(state) !== JSON.stringify(shown[index - 1]));
  expect(states).toEqual([
    { base: { text: 'a', by: null }, variant: null },
    { base: { text: 'a b', by: null }, variant: null },
    { base, variant: null },
    { base, variant: { selection, text: 'c', by: null } },
    { base, variant: { selection, text: 'c d', by: null } },
    { base, variant: { selection, text: 'c d', by: device } },
  ]);
});

test('a cancelled text stays as far as it came, and is written anew when it is asked for', async () => {
  const gate = deferred();
  answer(says(['a', ' b'], gate.promise));
  const writing = page.commands.write('two');
  await vi.waitFor(() => expect(page.store.getState().texts.base?.text).toBe('a'));
  page.commands.cancelTask('generate');
  gate.resolve();
  await writing;
  expect(page.store.getState().texts.base).toEqual({ text: 'a', by: null });
  expect(page.store.getState().tasks.generate).toEqual({ phase: 'idle' });
  answer(says(['a', ' b']), says(['c']));
  await page.commands.write('two');
  expect(page.store.getState().texts.base).toEqual({ text: 'a b', by: device });
});

test('a text is written once for each plan and prompt', async () => {
  answer(says(['a']), says(['b']), says(['c']), says(['d']));
  await page.commands.write('one');
  await page.commands.write('one');
  expect(page.callsOf('generate')).toHaveLength(2);
  await page.commands.write('other');
  expect(page.callsOf('generate')).toHaveLength(4);
});

test('a model without a tokenizer writes nothing', async () => {
  page.show(testModel('m', { tokenizer: false }));
  await page.commands.write('one');
  expect(page.calls).toEqual([]);
});
