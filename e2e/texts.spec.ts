/** @file Texts to measure on: from the Hub by the paper's protocols, pasted, from files; there tomorrow without the network. */
import type { Page } from '@playwright/test';
import { parquetBytes } from '../src/text/testing/parquetFile';
import { checkpoint, fixture } from './support/checkpoint';
import type { FakeHub } from './support/fakeHub';
import { test } from './support/hubTest';
import { comparison, freshPerplexity, now, shot } from './support/parts';
import { expect, loadFiles, longTier, openLab } from './support/test';

/** Words over letters that every tokenizer here knows. */
const prose = (words: number, seed: number): string =>
  Array.from({ length: words }, (_, index) => ['the', 'cat', 'sat', 'on', 'a', 'mat'][(index * 7 + seed * 3) % 6]).join(
    ' ',
  );
const articles = ['', prose(60, 1), '', prose(9, 2), prose(80, 3), prose(70, 4)];
const pages = Array.from({ length: 24 }, (_, row) => prose(row % 2 === 0 ? 5 : 40, row));

function publish(hub: FakeHub): string {
  const wikitext = new Map([
    ['wikitext-2-raw-v1/test-00000-of-00001.parquet', parquetBytes({ text: articles }, { rowGroupSize: 2 })],
  ]);
  const ptb = new Map([['penn_treebank/validation/0000.parquet', parquetBytes({ sentence: pages })]]);
  const c4 = new Map([
    ['en/partial-train/0000.parquet', parquetBytes({ text: pages, url: pages }, { rowGroupSize: 10 })],
  ]);
  const branch = 'refs/convert/parquet';
  hub.putDataset('FALcon6/ptb_text_only', { folder: ptb });
  hub.putDataset('allenai/c4', { folder: c4, branch });
  return hub.putDataset('Salesforce/wikitext', { folder: wikitext });
}

const perplexity = (page: Page, request: Parameters<Window['lab']['perplexity']>[1]) =>
  page.evaluate((asked) => window.lab.perplexity('base', asked), request);

test("the paper's protocols by name: the tokens are those that one makes by hand, today and tomorrow", async ({
  page,
  hub,
}) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  const sha = publish(hub);
  const { folder } = fixture('tiny-b');
  const seqLen = 32;
  await openLab(page);
  await loadFiles(page, folder);
  const ids = await page.evaluate((text) => window.lab.tokenize(text), articles.join('\n\n'));
  const cut = (stream: number[], lead: number[]): number[][] =>
    Array.from({ length: Math.floor(stream.length / seqLen) }, (_, index) => [
      ...lead,
      ...stream.slice(index * seqLen, (index + 1) * seqLen),
    ]);

  const asked = { corpus: 'wikitext-2', seqLen, hub: hub.url };
  const named = await perplexity(page, asked);
  const byHand = await perplexity(page, { tokenIds: cut([1, ...ids], []) });
  expect(named.perplexity).toBe(byHand.perplexity);
  expect(named.text.hash).toBe(byHand.text.hash);
  const source = `hf:Salesforce/wikitext@${sha}/wikitext-2-raw-v1/test`;
  expect(named.text.origin).toMatchObject({ source, protocol: 'joined', start: 'first', documents: articles.length });
  expect(named.text.origin?.available).toBe(named.text.sequences);

  const every = await perplexity(page, { ...asked, addBosToEvery: true, samples: 3 });
  expect(every.text.hash).toBe((await perplexity(page, { tokenIds: cut(ids, [1]).slice(0, 3) })).text.hash);
  expect(every.text.origin).toMatchObject({ start: 'every', available: Math.floor(ids.length / seqLen) });

  const ptb = await perplexity(page, { corpus: 'ptb', seqLen, hub: hub.url, samples: 1 });
  expect(ptb.text.origin?.source).toMatch(/^hf:FALcon6\/ptb_text_only@/);

  const calibrate = { corpus: 'c4', samples: 5, seqLen: 64, seed: 7, hub: hub.url };
  const { calibration, report, later, texts } = await page.evaluate(async (request) => {
    const { lab } = window;
    const calibration = await lab.calibrate(request);
    await lab.importance('block-influence');
    const report = await lab.report();
    const later = await lab.calibrate({ ...request, seed: 8 });
    return { calibration, report, later, texts: await lab.texts() };
  }, calibrate);
  expect(calibration).toMatchObject({ corpus: 'c4', samples: 5, seqLen: 64, seed: 7, tokens: 320 });
  expect(calibration.origin).toMatchObject({
    protocol: 'rows',
    start: 'row',
    documents: pages.length,
    available: null,
  });
  expect(report.scores[0]?.calibration).toEqual(calibration);
  expect(report.comparison[0]?.perplexity.wgsl?.text.origin?.source).toMatch(/^hf:FALcon6/);
  expect(later.hash).not.toBe(calibration.hash);
  const stored = texts.filter((each) => each.stored !== null).map(({ name }) => name);
  expect(stored.sort()).toEqual(['c4', 'ptb', 'wikitext-2']);

  await page.route(`${hub.url}/**`, (route) => route.abort());
  await page.reload();
  await page.waitForFunction(() => window.lab !== undefined);
  await loadFiles(page, folder);
  expect((await perplexity(page, asked)).text).toEqual(named.text);
  expect(await page.evaluate((request) => window.lab.calibrate(request), calibrate)).toEqual(calibration);
  const failure = await page.evaluate(
    (address) => window.failure(window.lab.calibrate({ corpus: 'bookcorpus', hub: address })),
    hub.url,
  );
  expect(failure.code).toBe('network');
});

test('texts on the page: pasted, dropped, fetched, cancelled, forgotten; numbers on other tokens are marked', async ({
  page,
  hub,
}) => {
  publish(hub);
  await openLab(page, `&hub=${hub.url}`);
  await loadFiles(page, checkpoint());
  const texts = page.getByRole('region', { name: 'Texts', exact: true });
  await texts.getByRole('button', { name: 'Choose texts' }).click();
  const add = texts.getByRole('form', { name: 'Add a text' });
  const calibration = texts.getByRole('form', { name: 'Calibration text' });
  const evaluation = texts.getByRole('form', { name: 'Evaluation text' });

  await test.step('a pasted text is measured on', async () => {
    await add.getByLabel('Pasted text').fill(prose(200, 5));
    await add.getByRole('button', { name: 'Add the pasted text' }).click();
    await expect(add.getByRole('status')).toContainText('Added: Pasted text');
    await evaluation.getByRole('combobox').selectOption({ label: 'Pasted text' });
    await evaluation.getByLabel('Tokens of an evaluation sequence').fill('64');
    await evaluation.getByRole('button', { name: 'Measure' }).click();
    await expect(texts).toContainText(/Perplexity on 8 of \d+ sequences × 64 tokens of Pasted text/);
    await expect(now(page)).toContainText('504 held-out tokens of Pasted text');
    await expect(freshPerplexity(page)).toHaveText(/\d/);
  });

  await test.step('dropped files become texts', async () => {
    const files = [
      { name: 'notes.txt', bytes: [...Buffer.from(prose(120, 6))] },
      { name: 'rows.jsonl', bytes: [...Buffer.from(pages.map((text) => JSON.stringify({ text })).join('\n'))] },
      { name: 'table.parquet', bytes: [...parquetBytes({ text: pages })] },
    ];
    const transfer = await page.evaluateHandle((all) => {
      const data = new DataTransfer();
      for (const { name, bytes } of all) data.items.add(new File([new Uint8Array(bytes)], name));
      return data;
    }, files);
    await add.dispatchEvent('drop', { dataTransfer: transfer });
    await expect(add.getByRole('status')).toContainText('Added: notes.txt, rows.jsonl, table.parquet');
    const labels = await calibration.getByRole('option').allTextContents();
    expect(labels).toEqual(expect.arrayContaining(['notes.txt', 'rows.jsonl', 'table.parquet', 'BookCorpus', 'C4']));
    expect(labels).not.toContain('WikiText-2, test');
  });

  await test.step('a file that cannot be read says why', async () => {
    await add.locator('input[type=file]').setInputFiles({
      name: 'broken.jsonl',
      mimeType: 'text/plain',
      buffer: Buffer.from('{"text": "a"}\nnot json'),
    });
    await expect(texts.getByRole('alert')).toContainText('broken.jsonl, line 2: expected JSON');
  });

  await test.step('criteria are measured on rows of a dropped file', async () => {
    await calibration.getByRole('combobox').selectOption({ label: 'table.parquet' });
    await calibration.getByLabel('Tokens of a calibration sequence').fill('48');
    await calibration.getByLabel('Calibration sequences').fill('6');
    await calibration.getByRole('button', { name: 'Calibrate' }).click();
    await expect(texts).toContainText('Calibrated on 6 × 48 tokens of table.parquet');
    await expect(page.getByRole('banner')).toContainText('6 × 48 tokens');
    await page.getByText('Perplexity: all scores as a table').click();
    await expect(page.getByRole('region', { name: 'Which blocks matter?' })).toContainText(
      /6 × 48 tokens of table.parquet \(file table.parquet · 24 rows · rows chosen and cropped at random · seed 1234 · text [0-9a-f]{16} · tokens [0-9a-f]{16}\)/,
    );
  });

  await test.step('a fetch shows how far it is, and stops when asked; the old text stays', async () => {
    hub.fault({ kind: 'slow', bytesPerSecond: 100 });
    await evaluation.getByRole('combobox').selectOption({ label: 'WikiText-2, test' });
    await evaluation.getByRole('button', { name: 'Download and measure' }).click();
    await expect(texts.getByRole('progressbar')).toBeVisible();
    await texts.getByRole('button', { name: 'Cancel' }).click();
    await expect(texts.getByRole('progressbar')).toHaveCount(0);
    await expect(texts).toContainText(/Perplexity on 8 of \d+ sequences × 64 tokens of Pasted text/);
    hub.fault();
  });

  await test.step('another text marks the numbers of the old one', async () => {
    const variant = await page.evaluate(async () => {
      const { id } = await window.lab.variant(await window.lab.plan({ blocks: [1] }));
      const corpus = 'text:Pasted text';
      await window.lab.perplexity(id, { corpus, seqLen: 64, samples: 8 });
      return id;
    });
    expect(variant).toBe('v1');
    await evaluation.getByRole('button', { name: 'Download and measure' }).click();
    await expect(texts).toContainText(/Perplexity on 8 of \d+ sequences × 64 tokens of WikiText-2, test/);
    await expect(now(page)).toContainText('of WikiText-2, test');
    const row = comparison(page).getByRole('row', { name: /without 1/ });
    await expect(row).toContainText('†');
    await expect(comparison(page)).toContainText('† On other tokens (Pasted text)');
    await expect(comparison(page).getByRole('row', { name: /original model/ })).not.toContainText('†');
  });

  await test.step('on a phone nothing runs out of its frame', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await texts.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await shot(page, 'texts-phone');
    await page.setViewportSize({ width: 1280, height: 900 });
    await shot(page, 'texts');
  });

  await test.step('a forgotten text is gone, and the built-in one takes its place', async () => {
    await texts.getByRole('button', { name: 'Forget WikiText-2, test' }).click();
    await texts.getByRole('button', { name: /^Free/ }).click();
    await expect(texts.getByRole('button', { name: 'Forget WikiText-2, test' })).toHaveCount(0);
    await expect(texts).toContainText(/Perplexity on 8 of \d+ sequences × 128 tokens of Built-in stories, held out/);
  });
});
