/** @file Folders exported from the page, opened by transformers.js in another page: the same text and the same loss as the lab's. */
import type { Page } from '@playwright/test';
import { exportFiles } from '../support/exported';
import { expect, openLab, test } from '../support/test';
import { ask, openTransformers, type Questions } from '../support/transformersJs';

const prompts = ['Once upon a time', 'The old dog'];
const newTokens = 8;

/** The demo, a depth variant, and one of FLAP: other heads and neurons in every layer, with biases. */
function variantsOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { lab } = window;
    await lab.load('demo');
    await lab.calibrate({ samples: 2, seqLen: 64 });
    const depth = await lab.variant(await lab.plan({ blocks: [3, 7, 8] }));
    const flap = await lab.variant(await lab.plan({ width: 'flap', ratio: 0.2 }));
    return ['base', depth.id, flap.id];
  });
}

interface Ours {
  readonly said: number[][];
  readonly scored: number[];
  readonly meanNll: number;
}

/** What the lab says of a variant; `scored` are the tokens of the first prompt and its continuation. */
function ours(page: Page, id: string): Promise<Ours> {
  return page.evaluate(
    async ({ variant, texts, count }) => {
      const { lab } = window;
      const said: number[][] = [];
      for (const text of texts)
        said.push((await lab.generate(variant, text, { newTokens: count, temperature: 0 })).tokenIds);
      const scored = [...(await lab.tokenize(texts[0]!, { specialTokens: true })), ...said[0]!];
      const { meanNll } = await lab.perplexity(variant, { tokenIds: [scored] });
      return { said, scored, meanNll };
    },
    { variant: id, texts: prompts, count: newTokens },
  );
}

test('transformers.js says in the browser what the lab says', async ({ page, context, folders, problems }) => {
  test.setTimeout(900_000);
  await openLab(page);
  const [base, depth, flap] = (await variantsOf(page)) as [string, string, string];
  const cases = [
    [base, 'f32', 'wasm'],
    [depth, 'f32', 'wasm'],
    [flap, 'f32', 'wasm'],
    [flap, 'f16', 'wasm'],
    [flap, 'f32', 'webgpu'],
  ] as const;
  const engine = await context.newPage();
  await openTransformers(engine, folders);
  for (const [id, dtype, device] of cases) {
    const wanted = await ours(page, id);
    const name = `${id}-${dtype}`;
    folders.put(name, await exportFiles(page, id, 'transformers.js', dtype));
    const questions: Questions = { prompts, newTokens, device, scored: wanted.scored };
    const { alone, batch, meanNll } = await ask(engine, name, questions);
    const what = `${name} on ${device}`;
    expect(Math.abs(meanNll - wanted.meanNll), what).toBeLessThan(dtype === 'f32' ? 1e-4 : 3e-3);
    expect(alone, what).toEqual(wanted.said);
    expect(batch, `${what}, in one batch`).toEqual(alone);
  }
  expect(problems).toEqual([]);
});
