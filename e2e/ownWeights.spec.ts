/** @file A variant with weights of its own on the page: a row with its size, its own numbers, also after a reload. */
import type { Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { blocks, comparison, freshPerplexity, now, readPerplexity } from './support/parts';
import { expect, openLink, test } from './support/test';

/** A script of the page makes a variant of the same shape as the base: its last norm has other weights. */
function makePatched(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { lab } = window;
    const size = (await lab.variants())[0]?.shape.hidden ?? 0;
    const entry = { dtype: 'F32', shape: [size], data_offsets: [0, 4 * size] };
    const header = new TextEncoder().encode(JSON.stringify({ 'model.norm.weight': entry }).padEnd(128));
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(header.length), true);
    const values = Float32Array.from({ length: size }, (_, index) => (index % 3) / 2);
    const plan = await lab.plan({ blocks: [] });
    const patch = new Blob([length, header, values]);
    return (await lab.variant(plan, { name: 'other norm', patch })).id;
  });
}

test('a variant with weights of its own is a row, shows its own numbers, and is there after a reload', async ({
  page,
  folders,
  problems,
}) => {
  test.setTimeout(300_000);
  const url = folders.put('tiny-a', shortModel('tiny-a'));
  await openLink(page, url);
  await expect(blocks(page).first()).toBeVisible({ timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  const base = await readPerplexity(page);

  await makePatched(page);
  const row = comparison(page).getByRole('row', { name: /other norm/ });
  await expect(row).toContainText(/own weights, [\d.,]+\s(k)?B/);
  expect(await readPerplexity(page)).toBe(base); // nothing changes unasked

  await row.getByRole('button', { name: 'Show other norm in the plan' }).click();
  await expect(now(page)).toContainText('other norm: nothing removed');
  await expect.poll(() => readPerplexity(page), { timeout: 60_000 }).not.toBe(base);
  await expect(freshPerplexity(page)).toHaveText(/\d/);
  const own = await readPerplexity(page);

  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => readPerplexity(page)).toBe(base);
  await page.getByRole('button', { name: 'Redo' }).click();
  await expect.poll(() => readPerplexity(page)).toBe(own);

  await page.waitForTimeout(600); // the session is saved once the page is quiet
  await page.reload();
  await expect(now(page)).toContainText('other norm: nothing removed', { timeout: 60_000 });
  await expect.poll(() => readPerplexity(page), { timeout: 60_000 }).toBe(own);
  await expect(row).toContainText('own weights');

  await row.getByRole('button', { name: 'Discard other norm' }).click();
  await row.getByRole('button', { name: 'Discard', exact: true }).click();
  await expect(row).toHaveCount(0);
  await expect(now(page)).toContainText('original model');
  await expect.poll(() => readPerplexity(page), { timeout: 60_000 }).toBe(base);
  expect(problems).toEqual([]);
});
