/** @file Attention and MLP as units of their own, and the greedy searches, on a small checkpoint. */
import type { Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { blocks, freshPerplexity, now, readPerplexity, shot, slider } from './support/parts';
import { expect, longTier, openLink, test } from './support/test';

const subBlock = (page: Page, part: 'attention' | 'MLP', block: number) =>
  page.getByRole('button', { name: `Cut ${part} of block ${block}`, exact: true });
const steps = (page: Page, search: string) =>
  page.getByRole('list', { name: new RegExp(`^Steps of ${search}`) }).getByRole('listitem');

/** What the laboratory's report says of units, scores in an order that does not depend on when they were measured. */
const reported = (page: Page, prunerSteps: number) =>
  page.evaluate(async (shown) => {
    const { calibration, scores, searches, evolution } = await window.lab.report();
    const key = ({ criterion, unit }: (typeof scores)[number]) => `${criterion} ${unit}`;
    const sorted = scores.toSorted((a, b) => key(a).localeCompare(key(b)));
    // The page and its worker each time a search that is cancelled.
    const untimed = <T extends object>(found: T | null | undefined) => found && { ...found, milliseconds: 0 };
    // The worker may have counted a generation or a step more, whose report crossed the cancel.
    const known = evolution && { ...evolution, trace: [] };
    const pruner = searches['block-pruner'];
    const pruned = pruner && { ...pruner, steps: pruner.steps.slice(0, shown) };
    const found = [searches.sleb, pruned, known].map(untimed);
    return { calibration, scores: sorted, found };
  }, prunerSteps);

test('sub-blocks are scored, cut, proposed and searched, and are restored after a reload', async ({
  page,
  folders,
  problems,
}) => {
  test.setTimeout(600_000);
  const url = folders.put('tiny-c', shortModel('tiny-c'));
  await openLink(page, url);
  await expect(blocks(page)).toHaveCount(8, { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  const whole = await readPerplexity(page);

  await test.step('the second mode scores both sub-blocks', async () => {
    await page.getByText('Attention / MLP', { exact: true }).click();
    await expect(page.getByRole('img', { name: /^Perplexity of each attention and MLP/ })).toBeVisible({
      timeout: 240_000,
    });
    await expect(page.getByRole('button', { name: /^Cut (attention|MLP) of block/ })).toHaveCount(16);
  });

  await test.step('one tab stop, arrows in both directions', async () => {
    await subBlock(page, 'attention', 0).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect(subBlock(page, 'MLP', 1)).toBeFocused();
    await page.keyboard.press('Space');
    await expect(subBlock(page, 'MLP', 1)).toHaveAttribute('aria-pressed', 'true');
    await expect(subBlock(page, 'attention', 1)).toHaveAttribute('aria-pressed', 'false');
    await expect(now(page)).toContainText('without the MLP of 1');
    await expect(now(page)).toContainText('7 of 8');
    await expect.poll(() => readPerplexity(page), { timeout: 120_000 }).not.toBe(whole);
  });

  await test.step('both sub-blocks are the block, and undo restores one', async () => {
    await subBlock(page, 'attention', 1).click();
    await expect(now(page)).toContainText('without block 1');
    await page.keyboard.press('ControlOrMeta+z');
    await expect(now(page)).toContainText('without the MLP of 1');
  });

  await test.step('the slider proposes among all sub-blocks', async () => {
    await slider(page).fill('3');
    await expect(page.locator('.sub-block[aria-pressed="true"]')).toHaveCount(3);
    await expect(freshPerplexity(page)).toBeVisible({ timeout: 120_000 });
    await shot(page, 'sub-blocks-1-proposal');
  });

  await test.step('SLEB runs to its end and is applied step by step', async () => {
    await page.getByRole('button', { name: 'Search with SLEB' }).click();
    await expect(steps(page, 'SLEB')).toHaveCount(6, { timeout: 240_000 });
    await page.getByRole('slider', { name: /^Apply the first/ }).fill('2');
    await expect(now(page)).toContainText('6 of 8');
    await expect(page.getByRole('region', { name: 'Perplexity along the searches' })).toBeVisible();
  });

  await test.step('BlockPruner is cancelled, and what it found stays', async () => {
    await page.getByRole('button', { name: 'Search with BlockPruner' }).click();
    await expect(steps(page, 'BlockPruner').first()).toBeVisible({ timeout: 120_000 });
    await page.getByRole('group', { name: 'Searches' }).getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByText(/^Stopped early/)).toBeVisible({ timeout: 60_000 });
    await page
      .getByRole('slider', { name: /^Apply the first/ })
      .nth(1)
      .fill('1');
    await expect(page.locator('.sub-block[aria-pressed="true"]')).toHaveCount(1);
    await expect(freshPerplexity(page)).toBeVisible({ timeout: 120_000 });
    await shot(page, 'sub-blocks-2-searched');
  });

  // The unit tests of the commands cancel EvoPress too; the page on a phone has a test of its own.
  if (longTier) {
    await test.step('EvoPress is cancelled, and its best set stays and can be cut', async () => {
      const row = page.locator('.search').filter({ hasText: 'EvoPress' });
      await row.getByText('Settings of EvoPress').click();
      await row.getByRole('spinbutton', { name: 'generations' }).fill('500');
      await row.getByRole('button', { name: 'Search with EvoPress' }).click();
      await expect(row.getByText(/^Best set so far/)).toBeVisible({ timeout: 120_000 });
      await row.getByRole('button', { name: 'Cancel' }).click();
      await expect(row.getByText(/^Stopped early/)).toBeVisible({ timeout: 60_000 });
      await expect(page.getByRole('region', { name: 'EvoPress by generation' })).toBeVisible();
      await row.getByRole('button', { name: 'Cut this set' }).click();
      await expect(row.getByRole('button', { name: 'This set is cut' })).toBeDisabled();
      await expect(now(page)).toContainText('6 of 8');
      await page.keyboard.press('ControlOrMeta+z');
    });

    await test.step('it fits a phone, in the dark', async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.emulateMedia({ colorScheme: 'dark' });
      const wider = () =>
        page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await expect.poll(wider).toBeLessThanOrEqual(0);
      await shot(page, 'sub-blocks-3-phone-dark');
      await page.setViewportSize({ width: 1280, height: 900 });
      await shot(page, 'sub-blocks-4-dark');
      await page.emulateMedia({ colorScheme: 'light' });
    });
  }

  const found = await steps(page, 'BlockPruner').allTextContents();
  const report = await reported(page, found.length);

  await test.step('all of it is there again after a reload', async () => {
    await expect(async () => {
      await page.reload();
      await expect(steps(page, 'BlockPruner')).toHaveText(found, { timeout: 20_000 });
    }).toPass();
    await expect(steps(page, 'SLEB')).toHaveCount(6);
    if (longTier) await expect(page.getByText(/^Best set so far/)).toBeVisible();
    expect(await reported(page, found.length)).toEqual(report);
    await expect(page.getByRole('radio', { name: 'Attention / MLP' })).toBeChecked();
    await expect(page.locator('.sub-block[aria-pressed="true"]')).toHaveCount(1);
    await page.getByRole('group', { name: 'What a click cuts' }).getByText('Blocks').click();
    await expect(blocks(page)).toHaveCount(8);
    await shot(page, 'sub-blocks-5-blocks');
  });

  expect(problems).toEqual([]);
});
