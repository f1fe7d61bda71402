/** @file The page's sources: what it says before a download, what it keeps, what a user may drop onto it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { llama2cFile } from '../src/shards/testing/llama2cFile';
import { filesOf, tinyConfig, tinyFolder } from '../src/shards/testing/tinyModel';
import { checkpoint, fixture } from './support/checkpoint';
import { test } from './support/hubTest';
import { shot } from './support/parts';
import { expect, openLab } from './support/test';

const repo = 'owner/tiny-b';
const { folder } = fixture('tiny-b');
/** Some 34 MB in three chunks. */
const large = checkpoint({ hidden: 256, layers: 2, heads: 4, kvHeads: 4, headDim: 64, ffn: 512, vocab: 28_000 });

const wideConfig = { ...tinyConfig, intermediate_size: 2 ** 19 };

const hubPanel = (page: Page): Locator => page.getByRole('region', { name: 'Hugging Face Hub' });
const storedPanel = (page: Page): Locator => page.getByRole('region', { name: 'Stored in this browser' });
const card = (page: Page): Locator => page.getByRole('region', { name: /^Before the download/ });

async function lookUp(page: Page, name: string): Promise<void> {
  await hubPanel(page).getByLabel('Name or address on the Hub').fill(name);
  await hubPanel(page).getByRole('button', { name: 'Look it up' }).click();
}

test('the card says what fits as arithmetic; what does not fit is refused until there is room', async ({
  page,
  hub,
}) => {
  // The browser's own estimate lags behind, and in Chromium tells of 10 GiB whatever it would really store.
  await page.addInitScript(() => {
    const room = { quota: 55e6, usage: 34e6 };
    StorageManager.prototype.estimate = async () => room;
    Object.assign(window, { room });
  });
  hub.put('owner/large', { folder: large, licence: 'mit' });
  hub.put('owner/second', { folder: large, licence: 'mit' });
  const wide = checkpoint();
  wide.set('config.json', new TextEncoder().encode(JSON.stringify({ ...wideConfig, hidden_size: 4096 })));
  hub.put('owner/wide', { folder: wide });
  await openLab(page, `&hub=${hub.url}`);
  const refusal = (name: string) =>
    page.evaluate(([source, address]) => window.failure(window.lab.load(source!, { hub: address! })), [name, hub.url]);
  await page.evaluate(([address]) => window.lab.load('owner/large', { hub: address! }), [hub.url]);
  await page.getByRole('button', { name: 'Open another model' }).click();
  const sent = hub.sentBytes;

  await lookUp(page, 'huggingface.co/owner/second');
  await expect(card(page)).toContainText(
    /Storage\s*too large\s*33\.\d\sMB to store, 21\.0\sMB free \(browser’s estimate\): 12\.\d\sMB missing\. Forget owner\/large@\w+ \(33\.\d\sMB\)/,
  );
  await expect(card(page)).toContainText(/all blocks at once: .* of weights \+ .* for 1,280 tokens = /);
  await expect(card(page)).toContainText(/gate and up of a block: 1\.0\sMB; this GPU allows .* per binding/);
  const download = card(page).getByRole('button', { name: 'Download and open' });
  await expect(download).toBeDisabled();
  expect(hub.sentBytes).toBe(sent);
  await shot(page, 'does-not-fit');
  await page.evaluate(() => Object.assign((window as unknown as { room: object }).room, { usage: 0 }));
  await storedPanel(page)
    .getByRole('button', { name: /^Forget owner\/large/ })
    .click();
  await storedPanel(page)
    .getByRole('button', { name: /^Free 33\.\d/ })
    .click();
  await expect(download).toBeEnabled();

  await lookUp(page, 'owner/wide');
  await expect(card(page)).toContainText(/Largest GPU buffer\s*too large\s*gate and up of a block/);
  await expect(download).toBeDisabled();
  expect(await refusal('owner/wide')).toMatchObject({
    code: 'unsupported-limit',
    message: expect.stringContaining('gate and up of a block are 1048576 × 4096'),
  });
  expect(hub.sentBytes).toBe(sent);
});

test('a download is cancelled, listed, resumed and forgotten from the page', async ({ page, hub }) => {
  hub.put('owner/large', { folder: large });
  hub.fault({ kind: 'slow', bytesPerSecond: 40_000, times: 1 });
  await openLab(page, `&hub=${hub.url}`);
  await lookUp(page, 'owner/large');
  await card(page).getByRole('button', { name: 'Download and open' }).click();
  const progress = page.getByRole('progressbar', { name: 'Loading the model' });
  await expect(progress).toHaveAttribute('aria-valuetext', /^download, \d+\.\d.* of 3\d\.\d\sMB/);
  await expect(page.locator('.progress-count')).toContainText(/B\/s · \d+ (s|min) left/);
  await expect
    .poll(() => page.evaluate(() => window.lab.unfinished().then((all) => all[0]?.bytes ?? 0)))
    .toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Cancel' }).click();

  const row = storedPanel(page).getByRole('listitem').filter({ hasText: 'owner/large' });
  await expect(row).toContainText(/incomplete: \d+\.\d\sMB of 3\d\.\d\sMB · last received/);
  await expect(storedPanel(page)).toContainText(/of .* used/);
  await shot(page, 'unfinished');
  hub.fault({ kind: 'status', status: 404, file: 'model.safetensors' });
  await row.getByRole('button', { name: /^Resume/ }).click();
  await expect(page.getByRole('alert')).toContainText('has no file');
  hub.fault();
  await row.getByRole('button', { name: /^Resume/ }).click();
  await expect(page.getByRole('button', { name: 'Open another model' })).toBeVisible();
  expect(await page.evaluate(() => window.lab.unfinished())).toEqual([]);
  await page.getByRole('button', { name: 'Open another model' }).click();
  await storedPanel(page)
    .getByRole('button', { name: /^Forget owner\/large/ })
    .click();
  await storedPanel(page)
    .getByRole('button', { name: /^Free 3\d\.\d/ })
    .click();
  await expect.poll(() => page.evaluate(() => window.lab.stored())).toEqual([]);
});

test('a token that the Hub refuses leaves the field and the worker; a name that is none is told', async ({
  page,
  hub,
}) => {
  const token = 'hf_therightone';
  hub.put(repo, { folder, token });
  await openLab(page, `&hub=${hub.url}`);
  const field = hubPanel(page).getByLabel('Token for gated models');
  await expect(field).toHaveAttribute('type', 'password');
  await expect(field).toHaveAttribute('autocomplete', 'off');
  await field.fill('hf_wrong');
  await lookUp(page, repo);
  await expect(hubPanel(page).getByRole('alert')).toContainText('refuses this token (403)');
  await expect(field).toHaveValue('');
  // Without a token of its own, the next request goes without one.
  await lookUp(page, repo);
  await expect(hubPanel(page).getByRole('alert')).toContainText('requires a token (401)');
  await field.fill(token);
  await lookUp(page, repo);
  await expect(card(page)).toContainText('gated');
  await expect(field).toHaveValue(token);
  await lookUp(page, 'https://huggingface.co/datasets/owner/data');
  await expect(hubPanel(page).getByRole('alert')).toContainText('is a data set on the Hugging Face Hub');
});

test('a broken catalogue is told with its fault, and any model can still be looked up', async ({ page, hub }) => {
  hub.put(repo, { folder });
  const models = [{ repository: 'a/b', revision: 'main', approximateBytes: 'large', why: 'x' }];
  await page.route('**/catalogue.json', (route) => route.fulfill({ json: { version: 1, models } }));
  await openLab(page, `&hub=${hub.url}`);
  await expect(hubPanel(page).getByRole('alert')).toContainText('models.0.approximateBytes (a/b)');
  // The form for other addresses shows the card first, too.
  await page.getByRole('form', { name: 'Load by address' }).getByRole('textbox').fill(`${hub.url}/${repo}/tree/main`);
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await expect(card(page)).toBeVisible();
  expect(hub.sentBytes).toBe(0);
});

test('a folder that is dropped, as a browser gives it: found within what else lies there', async ({
  page,
  context,
}, testInfo) => {
  const folders = testInfo.outputPath('dropped');
  for (const [name, bytes] of folder) {
    mkdirSync(`${folders}/models/tiny`, { recursive: true });
    writeFileSync(`${folders}/models/tiny/${name}`, bytes);
  }
  writeFileSync(`${folders}/notes.txt`, 'not a model');
  await openLab(page);
  const target = page.getByRole('region', { name: 'Files from this device' });
  await target.scrollIntoViewIfNeeded();
  const box = (await target.boundingBox())!;
  const devtools = await context.newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', {
      type,
      x: box.x + box.width / 2,
      y: box.y + 20,
      data: { items: [], files: [folders], dragOperationsMask: 1 },
    });
  }
  await expect(page.getByRole('button', { name: 'Open another model' })).toBeVisible();
  const { model } = await page.evaluate(() => window.lab.report());
  expect(model).toMatchObject({ source: 'dropped/models/tiny', tokenizer: true });
});

test('files that are dropped and a llama2.c checkpoint with its tokenizer: the same weights, the same perplexity', async ({
  page,
}) => {
  const config = { ...tinyConfig, hidden_size: 64, vocab_size: 360 };
  const tokenIds = [[1, 20, 300, 41, 5, 359, 77, 8]];
  const measure = () =>
    page.evaluate(
      (ids) =>
        window.lab.perplexity('base', { tokenIds: ids, runtime: 'ort-wasm' }).then(({ perplexity }) => perplexity),
      tokenIds,
    );
  await openLab(page);
  const files = await Promise.all(
    filesOf(tinyFolder(config)).map(
      async (file) => [file.name, [...new Uint8Array(await file.arrayBuffer())]] as const,
    ),
  );
  const transfer = await page.evaluateHandle((all) => {
    const data = new DataTransfer();
    for (const [name, bytes] of all) data.items.add(new File([new Uint8Array(bytes)], name));
    return data;
  }, files);
  await page.getByRole('region', { name: 'Files from this device' }).dispatchEvent('drop', { dataTransfer: transfer });
  const another = page.getByRole('button', { name: 'Open another model' });
  await expect(another).toBeVisible();
  const expected = await measure();

  await another.click();
  await page.getByLabel('Choose files').setInputFiles([
    {
      name: 'stories.bin',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(await llama2cFile(0, config).file.arrayBuffer()),
    },
    {
      name: 'tok360.model',
      mimeType: 'application/octet-stream',
      buffer: readFileSync('tools/sentencepiece/fixtures/keep.model'),
    },
  ]);
  await expect(another).toBeVisible();
  await expect.poll(() => page.evaluate(() => window.lab.report().then(({ model }) => model.tokenizer))).toBe(true);
  expect(await measure()).toBeCloseTo(expected, 6);
  expect((await page.evaluate(() => window.lab.tokenize('a', { specialTokens: true })))[0]).toBe(1);
});
