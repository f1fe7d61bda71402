/** @file What a link may do: open the demo and what is stored; for all else it shows whom it would ask, and waits. */
import type { Locator, Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { test } from './support/hubTest';
import { freshPerplexity } from './support/parts';
import { expect } from './support/test';

const folder = shortModel('tiny-b');
const card = (page: Page): Locator => page.getByRole('region', { name: 'A model that waits for your click' });
const opened = (page: Page): Locator => page.getByRole('button', { name: 'Open another model' });

/** Requests of the page and its workers to other origins. */
function foreign(page: Page): string[] {
  const own = new URL(test.info().project.use.baseURL ?? '').origin;
  const seen: string[] = [];
  page.context().on('request', (request) => {
    if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== own) seen.push(request.url());
  });
  return seen;
}

test('a link to a folder asks nobody before a click, and fetches no weight before the second one', async ({
  page,
  folders,
}) => {
  const url = folders.put('tiny', folder);
  const seen = foreign(page);
  const link = `./?model=${encodeURIComponent(url)}`;
  await page.goto(link);
  await expect(card(page)).toContainText(new URL(url).host);
  await expect(card(page)).toContainText('/tiny/');
  await page.evaluate(() => window.lab.ready);
  await page.evaluate(() => {
    location.hash = '#elsewhere';
    history.pushState(null, '', location.href);
  });
  await page.goBack();
  await expect(card(page)).toBeVisible();
  expect(await page.evaluate(() => window.lab.stored())).toEqual([]);
  expect([...seen, ...folders.requests]).toEqual([]);

  await card(page).getByRole('button', { name: 'Look it up' }).click();
  const download = card(page).getByRole('button', { name: 'Download and open' });
  await expect(download).toBeVisible();
  await expect(card(page)).toContainText(/Download\s*[\d.,]+\s[kM]B|Download\s*unknown/);
  await download.click();
  await expect(card(page)).toHaveCount(0);
  await expect(opened(page)).toBeVisible();
  const weights = folders.requests.filter((path) => path.endsWith('.safetensors'));
  expect(weights.length).toBeGreaterThan(0);

  await test.step('stored, the link opens it without a request', async () => {
    await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
    folders.requests.length = 0;
    await page.goto('about:blank');
    await page.goto(link);
    await expect(page.locator('.model .bar-note')).toHaveAttribute('title', url);
    await expect(card(page)).toHaveCount(0);
    expect(folders.requests).toEqual([]);
  });
});

test('a link to a model on the Hub likewise; the host is shown beside the token, and no link chooses another one', async ({
  page,
  hub,
}) => {
  hub.put('owner/tiny-b', { folder, licence: 'mit' });
  const seen = foreign(page);
  await page.goto(`./?model=owner%2Ftiny-b&hub=${hub.url}`);
  const { host } = new URL(hub.url);
  await expect(card(page)).toContainText(host);
  await page.evaluate(() => window.lab.ready);
  expect([...seen, ...hub.requests]).toEqual([]);
  await opened(page).click();
  const panel = page.getByRole('region', { name: 'Hugging Face Hub' });
  await expect(panel).toContainText(`Model names and tokens go to ${host} instead of huggingface.co`);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await card(page).getByRole('button', { name: 'Look it up' }).click();
  await expect(card(page)).toContainText('mit');
  expect(hub.sentBytes).toBe(0);

  await page.goto('./?model=owner%2Ftiny-b&hub=https%3A%2F%2Fevil.example');
  await expect(card(page)).toContainText('huggingface.co');
  await opened(page).click();
  await expect(panel).toContainText('Model names and tokens go to huggingface.co');
  await expect(panel).toContainText('It is ignored');
  expect(seen.filter((url) => url.includes('evil.example'))).toEqual([]);
});

test('a link to nothing is refused in words', async ({ page }) => {
  const seen = foreign(page);
  await page.goto(`./?model=${encodeURIComponent('<b>\u202ejavascript:alert(1)')}`);
  await expect(page.getByRole('alert')).toContainText('\\u{202e}');
  expect(seen).toEqual([]);
});
