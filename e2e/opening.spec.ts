/** @file A visit that ended while a model was opening: the next one asks before it opens that model again. */
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { checkpoint, fixture, shortModel } from './support/checkpoint';
import type { FolderServer } from './support/folderServer';
import { test } from './support/hubTest';
import { freshPerplexity } from './support/parts';
import { expect, longTier } from './support/test';

const question = (page: Page): Locator =>
  page.getByRole('region', { name: 'The last visit ended while a model was opening' });

/** Loads by the page's own form, as a user does. */
async function loadByHand(page: Page, url: string): Promise<void> {
  await page.goto('./?model=');
  const form = page.getByRole('form', { name: 'Load by address' });
  await form.getByRole('textbox').fill(url);
  await form.getByRole('button', { name: 'Load', exact: true }).click();
}

/** A folder whose weights trickle: its opening can be ended at leisure. Resolves once the weights were asked for. */
async function startSlowly(page: Page, folders: FolderServer): Promise<string> {
  const url = folders.put('slow', fixture('tiny-c').folder);
  folders.fault('slow/model.safetensors', { kind: 'slow', bytesPerSecond: 20_000 });
  await loadByHand(page, url);
  await expect.poll(() => folders.requests).toContain('slow/model.safetensors');
  return url;
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  await page.goto('chrome://crash').catch(() => undefined);
  await crashed;
  await page.close();
}

/** A new visit, with the laboratory ready; `query` as '?model=…'. */
async function visit(context: BrowserContext, query = ''): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`./${query}`);
  await page.waitForFunction(() => window.lab !== undefined);
  await page.evaluate(() => window.lab.ready);
  return page;
}

test('a model that killed the tab does not come back by itself, not by a link either; opened again, it is the next visit’s', async ({
  page,
  context,
  folders,
}) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  const url = await startSlowly(page, folders);
  await crash(page);
  folders.requests.length = 0;
  for (const query of ['', `?model=${encodeURIComponent(url)}`]) {
    const next = await visit(context, query);
    await expect(question(next)).toContainText(`The last visit ended while ${url} was opening`);
    await expect(question(next)).toContainText('crashed');
    await expect(next.getByRole('button', { name: 'Open the demo' })).toHaveCount(1);
    await next.close(); // not answering is no answer
  }
  expect(folders.requests).toEqual([]);
  folders.fault('slow/model.safetensors', null);
  const next = await visit(context);
  await question(next).getByRole('button', { name: 'Open again' }).click();
  await expect(freshPerplexity(next)).toHaveText(/\d/, { timeout: 120_000 });
  await expect(question(next)).toHaveCount(0);
  await next.reload();
  await expect(next.locator('.model .bar-note')).toHaveAttribute('title', url);
  await expect(question(next)).toHaveCount(0);
});

test('a tab closed during a download: the next visit says so, and forgets what is stored of it', async ({
  page,
  context,
  hub,
}) => {
  const large = checkpoint({ hidden: 256, layers: 2, heads: 4, kvHeads: 4, headDim: 64, ffn: 512, vocab: 28_000 });
  hub.put('owner/large', { folder: large });
  hub.fault({ kind: 'slow', bytesPerSecond: 40_000, times: 1 });
  await page.goto(`./?model=&hub=${hub.url}`);
  const panel = page.getByRole('region', { name: 'Hugging Face Hub' });
  await panel.getByLabel('Name or address on the Hub').fill('owner/large');
  await panel.getByRole('button', { name: 'Look it up' }).click();
  await panel.getByRole('button', { name: 'Download and open' }).click();
  const unfinished = (on: Page) =>
    on.evaluate(() => window.lab.unfinished().then((all) => all.map(({ bytes }) => bytes)));
  await expect.poll(() => unfinished(page).then(([bytes = 0]) => bytes)).toBeGreaterThan(0);
  await test.step('another tab meanwhile has nothing to ask', async () => {
    const beside = await visit(context, `?model=owner%2Fother&hub=${hub.url}`);
    await expect(beside.getByRole('region', { name: 'A model that waits for your click' })).toBeVisible();
    await expect(question(beside)).toHaveCount(0);
    await beside.close();
  });
  await page.goto('about:blank'); // left in order
  await page.close();
  const next = await visit(context, `?hub=${hub.url}`);
  await expect(question(next)).toContainText('closed or reloaded');
  hub.requests.length = 0;
  await question(next)
    .getByRole('button', { name: /^Forget owner\/large/ })
    .click();
  await question(next)
    .getByRole('button', { name: /^Free / })
    .click();
  await expect(question(next)).toHaveCount(0);
  expect(await unfinished(next)).toEqual([]);
  expect(hub.requests).toEqual([]);
});

test('localStorage that is switched off changes nothing but what is remembered', async ({
  page,
  folders,
  problems,
}) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await loadByHand(page, folders.put('tiny', shortModel('tiny-c')));
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  expect(problems).toEqual([]);
});
