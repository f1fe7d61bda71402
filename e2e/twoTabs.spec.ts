/** @file Two tabs of one browser on one store, and a model that changes behind its address. */
import type { Page } from '@playwright/test';
import { checkpoint, fixture } from './support/checkpoint';
import { expect, longTier, openLab, test } from './support/test';

/** Some 34 MB: slow enough to be seen on its way. */
const large = checkpoint({ hidden: 256, layers: 2, heads: 4, kvHeads: 4, headDim: 64, ffn: 512, vocab: 28_000 });
const weights = 'model.safetensors';

/** Starts a load and leaves it running; `stages` and `result` then tell of it. */
async function start(page: Page, source: string): Promise<void> {
  await page.evaluate((url) => {
    const seen = { stages: [] as string[], result: null as unknown, controller: new AbortController() };
    Object.assign(window, { seen });
    const { signal } = seen.controller;
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      seen.stages.push(done > 0 ? `${stage}, some` : stage);
    };
    window.lab.load(url, { signal, onProgress }).then(
      ({ id, downloadedBytes }) => Object.assign(seen, { result: { id, downloadedBytes } }),
      ({ code, message }) => Object.assign(seen, { result: { code, message } }),
    );
  }, source);
}

interface Seen {
  stages: string[];
  result: unknown;
}
const seen = (page: Page): Promise<Seen> =>
  page.evaluate(() => {
    const { stages, result } = (window as unknown as { seen: Seen }).seen;
    return { stages, result };
  });
const result = (page: Page) => seen(page).then((all) => all.result);
const stages = (page: Page) => seen(page).then((all) => all.stages);

test('two tabs open one slow address: the second waits with progress, can be cancelled, and takes over from a tab that is closed', async ({
  page,
  context,
  folders,
}) => {
  test.setTimeout(120_000);
  const url = folders.put('large', large);
  folders.fault(`large/${weights}`, { kind: 'slow', bytesPerSecond: 9_000_000 });
  const other = await context.newPage();
  const third = await context.newPage();
  for (const each of [page, other, third]) await openLab(each);
  await start(page, url);
  await expect.poll(() => stages(page)).toContain('download, some');
  await start(other, url);
  await start(third, url);
  await expect.poll(() => stages(other)).toContain('waiting for another tab, some');
  await third.evaluate(() => (window as unknown as { seen: { controller: AbortController } }).seen.controller.abort());
  await expect.poll(() => result(third)).toMatchObject({ code: 'aborted' });
  // The first tab fetches smaller files first: its request of the weights may be yet to come.
  await expect.poll(() => folders.gets.filter((path) => path.endsWith(weights))).toHaveLength(1);
  await page.close();
  await expect.poll(() => result(other), { timeout: 60_000 }).toMatchObject({ id: `folder:${url}` });
  expect(folders.gets.filter((path) => path.endsWith(weights))).toHaveLength(2);
  // A tab that comes later opens what is there.
  await start(third, url);
  await expect.poll(() => result(third), { timeout: 30_000 }).toMatchObject({ downloadedBytes: 0 });
  expect(folders.gets.filter((path) => path.endsWith(weights))).toHaveLength(2);
});

if (longTier) {
  test('what one tab forgets another one reads to its end; a worker that is ended lets its lock go', async ({
    page,
    context,
    folders,
  }) => {
    const { folder } = fixture('tiny-a');
    const url = folders.put('tiny-a', folder);
    const other = await context.newPage();
    for (const each of [page, other]) await openLab(each);
    const { id } = await page.evaluate((source) => window.lab.load(source), url);
    await other.evaluate((source) => window.lab.load(source), url);
    await other.evaluate((model) => window.lab.forget(model), id);
    const ids = Array.from({ length: 20 }, (_, i) => i + 3);
    const measured = await page.evaluate(
      async (tokens) => (await window.lab.perplexity('base', { tokenIds: [tokens] })).perplexity,
      ids,
    );
    expect(measured).toBeGreaterThan(1);
    folders.fault(`tiny-a/${weights}`, { kind: 'slow', bytesPerSecond: 20_000 });
    await start(other, url);
    await expect.poll(() => stages(other)).toContain('download, some');
    await other.evaluate(() => window.lab.restart());
    await expect.poll(() => result(other)).toMatchObject({ code: 'worker' });
    folders.fault(`tiny-a/${weights}`, null);
    const again = await page.evaluate((source) => window.lab.load(source), url);
    expect(again.id).toBe(id);
  });
}

test('weights that changed behind an address: the page asks, a script has the new ones', async ({ page, folders }) => {
  const { folder } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  await openLab(page);
  const first = await page.evaluate((source) => window.lab.load(source), url);
  const changed = new Map(folder);
  const bytes = folder.get(weights)!.slice();
  bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
  changed.set(weights, bytes);
  folders.put('tiny-a', changed);
  await page.getByRole('button', { name: 'Open another model' }).click();
  const form = page.getByRole('form', { name: 'Load by address' });
  await form.getByRole('textbox').fill(url);
  await form.getByRole('button', { name: 'Load' }).click();
  const question = page.getByRole('alert').filter({ hasText: 'The model behind this address has changed' });
  await expect(question).toContainText(`${weights} of ${url} changed since`);
  await question.getByRole('button', { name: 'Open the stored copy' }).click();
  await expect(page.getByText('This is the stored copy.')).toBeVisible();
  await page.getByRole('button', { name: 'Fetch the model again' }).click();
  await expect(page.getByText('It was downloaded again.')).toBeVisible();
  const second = await page.evaluate((source) => window.lab.load(source), url);
  expect(second.downloadedBytes).toBe(0);
  expect(second.revision).not.toBe(first.revision);
});

test('a newer version of the page takes the database over: the older tab says so', async ({ page }) => {
  await openLab(page);
  const { id } = await page.evaluate(() => window.lab.load('demo'));
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('secateur', 2);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
      }),
  );
  await expect(page.getByRole('alert').filter({ hasText: 'newer version of this page' })).toBeVisible();
  const failure = await page.evaluate(() => window.failure(window.lab.stored()));
  expect(failure).toMatchObject({ code: 'storage', message: expect.stringContaining('newer version of this page') });
  expect(id).toBe('demo');
});

test('offline: the Hub and folders wait for the connection with a line that says so', async ({ page, context }) => {
  await openLab(page);
  await context.setOffline(true);
  await start(page, 'https://host.invalid/model/');
  await expect.poll(() => stages(page)).toContain('no connection: waiting until this device is online');
  await page.evaluate(() => (window as unknown as { seen: { controller: AbortController } }).seen.controller.abort());
  await expect.poll(() => result(page)).toMatchObject({ code: 'aborted' });
  await context.setOffline(false);
});
