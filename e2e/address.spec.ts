/** @file The page's address follows the work: a link prepares a lesson, and Back leads one step back. */
import type { Locator, Page } from '@playwright/test';
import { blocks } from './support/parts';
import { expect, shortenDemo, test } from './support/test';

const cut = (page: Page): Locator => blocks(page).and(page.locator('[aria-pressed="true"]'));
const query = (page: Page): string => new URL(page.url()).search;

test('two cuts stand in the address: it opens the same plan elsewhere, Back undoes one, and the lesson’s link is short', async ({
  page,
  context,
  browser,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await shortenDemo(context);
  await page.goto('./?model=demo&by=magnitude&plan=3,99');
  await expect(page.getByRole('status', { name: 'A part of the address is ignored' })).toContainText('99');
  await expect(blocks(page)).toHaveCount(12);
  await expect.poll(() => query(page)).toBe('?model=demo&by=magnitude');

  await blocks(page).nth(5).click();
  await blocks(page).nth(7).click();
  await expect.poll(() => query(page)).toBe('?model=demo&by=magnitude&plan=5,7');
  await page.getByRole('button', { name: 'Copy lesson link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toBe(page.url());
  expect(link.length).toBeLessThan(200);
  await page.goBack();
  await expect(cut(page)).toHaveCount(1);
  await page.goForward();
  await expect(cut(page)).toHaveCount(2);
  await page.close();

  const student = await browser.newContext();
  await shortenDemo(student);
  const lesson = await student.newPage();
  await lesson.goto(link);
  await expect(cut(lesson)).toHaveCount(2);
  expect(lesson.url()).toBe(link);
  await lesson.getByRole('button', { name: 'Undo' }).click();
  await expect(cut(lesson)).toHaveCount(0);
  await student.close();
});
