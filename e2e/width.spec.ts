/** @file Heads and neurons removed by hand, in a browser: PyTorch's number on every runtime, also after a restart and a reload; bad plans change nothing. */
import type { Page } from '@playwright/test';
import { cutsOf, fixture } from './support/checkpoint';
import { expect, expectClose, type Failure, longTier, openLab, test } from './support/test';

/** lab.spec.ts runs variants on ORT's WebGPU in every run. */
const runtimes = ['wgsl', 'ort-wasm', ...(longTier ? (['ort-webgpu'] as const) : [])] as const;

function meanNll(page: Page, id: string, tokenIds: number[][], runtime: (typeof runtimes)[number]): Promise<number> {
  return page.evaluate(
    async ([variant, tokens, on]) => (await window.lab.perplexity(variant, { tokenIds: tokens, runtime: on })).meanNll,
    [id, tokenIds, runtime] as const,
  );
}

const variantIds = (page: Page) => page.evaluate(async () => (await window.lab.variants()).map(({ id }) => id));

test('a variant of other widths in every block has PyTorch’s perplexity on every runtime; bad plans are refused whole', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const cut = cutsOf('tiny-a')['flap 0.35']!;
  const url = folders.put('tiny-a', folder);
  const tokenIds = golden.calibration_token_ids;
  const kept = { keepHeads: cut.keepHeads, keepNeurons: cut.keepNeurons };
  await page.evaluate((source) => window.lab.load(source), url);

  const { plan, variant } = await page.evaluate(async (request) => {
    const made = await window.lab.plan(request);
    return { plan: made, variant: await window.lab.variant(made, { name: 'narrow' }) };
  }, kept);
  expect(variant.parameters).toBe(cut.parameters);
  expect(variant.shape.layers.map(({ heads }) => heads)).toEqual(cut.keepHeads.map(({ length }) => length));
  expect(variant.shape.layers.map(({ ffn }) => ffn)).toEqual(cut.keepNeurons.map(({ length }) => length));
  for (const runtime of runtimes) {
    expectClose(await meanNll(page, variant.id, tokenIds, runtime), cut.mean_nll, 2e-5, runtime);
  }

  const before = await variantIds(page);
  const change = (heads: (number[] | null)[]) => ({ ...plan, keepHeads: heads });
  const [, ...rest] = cut.keepHeads;
  const bad: [string, unknown, RegExp][] = [
    ['out of range', change([[0, 1, 6], ...rest]), /keepHeads of block 0: expected query heads 0 to 5, got 6/],
    ['repeated', change([[0, 1, 1], ...rest]), /keepHeads of block 0: expected each index once, got 1 twice/],
    ['uneven groups', change([[0, 1, 3], ...rest]), /keepHeads of block 0: .*equally many query heads.* 2, 1/],
    [
      'a block short',
      change(rest),
      /keepHeads: expected a list with one entry for each of the 4 blocks, got a list of 3/,
    ],
    ['another model', { ...plan, model: 'other/model' }, /is for model 'other\/model'/],
    ['no number', { ...plan, keepNeurons: [[0, null], null, null, null] }, /keepNeurons of block 0: .*got null/],
  ];
  const failures = await page.evaluate(
    async (plans) => {
      const found: Failure[] = [];
      for (const each of plans) found.push(await window.failure(window.lab.variant(each as typeof plan, {})));
      const tooMuch = window.lab.plan({ width: 'magnitude-sp', ratio: 0.95 });
      return [...found, await window.failure(tooMuch)];
    },
    bad.map(([, value]) => value),
  );
  for (const [at, [what, , message]] of bad.entries()) {
    expect.soft(failures[at], what).toMatchObject({ code: 'bad-plan', message: expect.stringMatching(message) });
    expect.soft(failures[at]!.remedy, what).not.toBe('');
  }
  expect(failures.at(-1)).toMatchObject({
    code: 'bad-argument',
    message: expect.stringMatching(/ratio: .*at most 0\.\d+/),
  });
  expect(await variantIds(page)).toEqual(before);

  // A new worker has the variant; a new page makes it again from the plan.
  const known = await meanNll(page, variant.id, tokenIds, 'wgsl');
  await page.evaluate(() => window.lab.comparison());
  await page.evaluate(() => window.lab.restart());
  expect(await variantIds(page)).toEqual(before);
  expectClose(await meanNll(page, variant.id, tokenIds, 'ort-wasm'), known, 2e-5, 'restarted');
  await openLab(page);
  await page.evaluate((source) => window.lab.load(source), url);
  const again = await page.evaluate(
    async (saved) => (await window.lab.variant(JSON.parse(saved))).id,
    JSON.stringify(plan),
  );
  expectClose(await meanNll(page, again, tokenIds, 'wgsl'), known, 1e-6, 'reloaded');
});
