/** @file Heads and neurons on the page: cut by keyboard and slider, undone, proposed, with the perplexity that follows. */
import type { Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { freshPerplexity, now, readPerplexity } from './support/parts';
import { expect, openLink, test } from './support/test';

const head = (page: Page, unit: number, block: number) =>
  page.getByRole('button', { name: `Cut head ${unit} of block ${block}`, exact: true });
const mlp = (page: Page, block: number) => page.getByRole('button', { name: new RegExp(`^MLP of block ${block}:`) });
const changes = (page: Page, from: number) =>
  expect.poll(() => readPerplexity(page), { timeout: 60_000 }).not.toBe(from);

test('a head is cut by keyboard and neurons by the slider, undone, and proposed', async ({
  page,
  folders,
  problems,
}) => {
  await openLink(page, folders.put('tiny-c', shortModel('tiny-c')));
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  const whole = await readPerplexity(page);
  await page.getByText('Heads and neurons', { exact: true }).click();
  await expect(page.locator('.width-cell').first()).toBeVisible({ timeout: 60_000 });

  await head(page, 0, 2).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  const cut = page.locator('.width-unit[aria-pressed="true"]');
  await expect(cut).toHaveCount(1);
  await expect(now(page)).toContainText('without 1 head');
  await changes(page, whole);
  const oneHead = await readPerplexity(page);

  await mlp(page, 3).click();
  const neurons = page.getByRole('slider', { name: /neurons stay$/ });
  await expect(neurons).toBeFocused();
  await neurons.fill('20');
  await expect(mlp(page, 3)).toHaveAccessibleName('MLP of block 3: 20 of 43 neurons stay');
  await expect(now(page)).toContainText('321 of 344');
  await changes(page, oneHead);
  await mlp(page, 3).focus();
  await page.keyboard.press('+');
  await expect(mlp(page, 3)).not.toHaveAccessibleName(/: 20 of/);

  await page.keyboard.press('ControlOrMeta+z');
  await page.keyboard.press('ControlOrMeta+z');
  await expect(now(page)).toContainText('without 1 head');
  await expect.poll(() => readPerplexity(page)).toBe(oneHead);

  await page.getByRole('slider', { name: /^Propose a cut/ }).fill('20');
  await expect(now(page)).toContainText('Chosen by FLAP, 20% asked for', { timeout: 60_000 });
  await changes(page, oneHead);
  await page.getByText('Magnitude-sp', { exact: true }).click();
  await page.getByText('Magnitude-sp: heads and neurons as a table').click();
  await expect(page.getByRole('row', { name: /^block 7/ })).toBeVisible();
  expect(problems).toEqual([]);
});
