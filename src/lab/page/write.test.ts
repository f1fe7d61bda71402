/** @file The page's text: it grows in the store while it is written, and then says who wrote it. */
import { beforeEach, expect, test, vi } from 'vitest';
import { tinyShape } from '../../onnx/testing/randomModel';
import type { PruningPlan } from '../../pruning/plan';
import { emptyPlan, planKey } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { GenerateOptions, GenerateResult } from '../contract/types';
import { cancelTask, write } from './commands';
import { initialState, labStore, type WrittenText } from './store';

const device = { adapter: 'a gpu', software: false, runtime: 'WGSL engine' };
const { generate } = vi.hoisted(() => ({
  generate:
    vi.fn<(target: string | PruningPlan, prompt: string, options: GenerateOptions) => Promise<GenerateResult>>(),
}));
vi.mock('./lab', () => ({
  lab: { generate, ready: Promise.resolve(), restart: vi.fn() },
  onScriptLoad: vi.fn(),
  onRestart: vi.fn(),
  scriptIsInCharge: () => false,
  hearingOf: () => Promise.resolve('over'),
  callsBesides: () => [],
  loadForPage: vi.fn(),
}));
vi.mock('../worker/demoVersion', () => ({ demoVersion: 'test' }));

const shape = tinyShape([
  [4, 2, 16, 40],
  [4, 2, 16, 40],
]);
const model = { id: 'm', tokenizer: true, shape } as unknown as ModelInfo;
const cut = { ...emptyPlan('m'), removeBlocks: [1] };

/** Says a text word by word; waits before its last word until `gate` opens. */
function says(words: readonly string[], gate: Promise<unknown> = Promise.resolve()) {
  return async (
    _target: unknown,
    _prompt: unknown,
    { onProgress, signal }: GenerateOptions,
  ): Promise<GenerateResult> => {
    for (const [index, word] of words.entries()) {
      if (index === words.length - 1) await gate;
      if (signal?.aborted) throw Object.assign(new Error('cancelled'), { code: 'aborted' });
      const text = words.slice(0, index).join('') + word;
      onProgress?.({ stage: 'Writing', done: index + 1, total: words.length, unit: 'tokens', text });
    }
    return { text: words.join(''), tokenIds: [], runtime: 'wgsl', device };
  };
}

let shown: { base: WrittenText | null; variant: (WrittenText & { planKey: string }) | null }[];
beforeEach(() => {
  generate.mockReset();
  labStore.setState({ ...initialState, model, plan: cut, texts: { prompt: '', base: null, variant: null } }, true);
  shown = [];
  labStore.subscribe(({ texts }, before) => {
    if (texts !== before.texts) shown.push({ base: texts.base, variant: texts.variant });
  });
});

test('both texts grow, the whole model’s first, and each says at its end who wrote it', async () => {
  generate.mockImplementationOnce(says(['a', ' b'])).mockImplementationOnce(says(['c', ' d']));
  await write('one');
  expect(generate.mock.calls.map(([target]) => target)).toEqual(['base', cut]);
  const key = planKey(cut);
  const base = { text: 'a b', by: device };
  const states = shown.filter((state, index) => JSON.stringify(state) !== JSON.stringify(shown[index - 1]));
  expect(states).toEqual([
    { base: null, variant: null },
    { base: { text: 'a', by: null }, variant: null },
    { base: { text: 'a b', by: null }, variant: null },
    { base, variant: null },
    { base, variant: { planKey: key, text: 'c', by: null } },
    { base, variant: { planKey: key, text: 'c d', by: null } },
    { base, variant: { planKey: key, text: 'c d', by: device } },
  ]);
});

test('a cancelled text stays as far as it came, and is written anew when it is asked for', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  generate.mockImplementationOnce(says(['a', ' b'], gate));
  const writing = write('two');
  await vi.waitFor(() => expect(labStore.getState().texts.base?.text).toBe('a'));
  cancelTask('generate');
  open();
  await writing;
  expect(labStore.getState().texts.base).toEqual({ text: 'a', by: null });
  generate.mockImplementationOnce(says(['a', ' b'])).mockImplementationOnce(says(['c']));
  await write('two');
  expect(labStore.getState().texts.base).toEqual({ text: 'a b', by: device });
});
