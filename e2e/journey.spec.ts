/** @file A newcomer's way through the page: a first result without a click, cuts, a proposal, a benchmark. */
import type { Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { block, blocks, comparison, freshPerplexity, now, readPerplexity, shot, slider } from './support/parts';
import { expect, longTier, openLink, openPage, shortenDemo, test } from './support/test';

const allCriteria = (page: Page) => page.getByRole('button', { name: 'All criteria' });

/** One click measures what is left; then switching between criteria waits for nothing. */
async function measureAllCriteria(page: Page): Promise<void> {
  await allCriteria(page).click();
  await expect(allCriteria(page)).toHaveCount(0, { timeout: 120_000 });
  await page.getByRole('radio', { name: 'Taylor' }).check();
  await expect(page.getByRole('img', { name: /^Taylor of each block/ })).toBeVisible();
}

async function propose(page: Page, layers: number): Promise<void> {
  await test.step('the slider lets the chosen criterion propose', async () => {
    await slider(page).fill('3');
    await expect(now(page)).toContainText(`${layers - 3} of ${layers}`);
    await expect(blocks(page).and(page.locator('[aria-pressed="true"]'))).toHaveCount(3);
    await expect(freshPerplexity(page)).toBeVisible({ timeout: 120_000 });
    await shot(page, 'journey-3-proposal');
  });
}

/** Benchmarks the plan being edited, which is no variant yet: the table has a row for it and one for the base, and the charts are drawn. */
async function benchmark(page: Page): Promise<void> {
  const measured = (await freshPerplexity(page).textContent()) ?? '';

  await test.step('the benchmark measures the original model and the variant', async () => {
    await now(page)
      .getByRole('button', { name: /^Benchmark this variant/ })
      .click();
    await expect(now(page).getByRole('progressbar').first()).toBeVisible();
    await shot(page, 'journey-4-benchmark-running');
    await expect(now(page).getByRole('button', { name: /Benchmark this variant again/ })).toBeVisible({
      timeout: 300_000,
    });
  });

  await test.step('the comparison has a row for each, with runtimes, times and charts', async () => {
    const rows = comparison(page).getByRole('row');
    const base = rows.filter({ has: page.getByRole('rowheader', { name: /original model/ }) });
    const variant = rows.filter({ has: page.getByRole('rowheader', { name: /^without / }) });
    await expect(base).toHaveCount(1);
    await expect(variant).toHaveCount(1);
    await expect(variant).toContainText(measured);
    await expect(variant).toContainText('ms');
    await expect(variant).toContainText('wasm');
    await expect(comparison(page)).toContainText(/onnxruntime-web|ONNX Runtime/);
    // Importance, quality and latency.
    await expect(page.locator('svg.recharts-surface').nth(2)).toBeVisible();
    await shot(page, 'journey-5-comparison');
  });

  await test.step('both rows are there again after a reload', async () => {
    await page.reload();
    await expect(comparison(page).getByRole('rowheader', { name: /^without / })).toBeVisible({ timeout: 60_000 });
  });
}

test('from the first look to a plan of one’s own, on the demo', async ({ page, context, problems }) => {
  test.setTimeout(600_000);
  await shortenDemo(context);
  await test.step('a first result comes without a click', async () => {
    await openPage(page);
    await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
    await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
    await expect(page.getByRole('status', { name: 'Device' })).toContainText('software adapter');
    await expect(page.getByRole('radio', { name: 'Perplexity', checked: true })).toHaveCount(1);
    // Twelve blocks removed one by one take half a minute of two cores: the small model below gets its bars in every run.
    if (longTier) {
      await expect(page.getByRole('img', { name: /^Perplexity of each block/ })).toBeVisible({ timeout: 240_000 });
      await shot(page, 'journey-1-first-result');
    } else {
      await page.getByRole('button', { name: 'Cancel' }).first().click();
    }
  });

  const layers = await blocks(page).count();
  expect(layers).toBeGreaterThan(6);
  const whole = await readPerplexity(page);
  expect(whole).toBeGreaterThan(1);

  await test.step('two clicks cut two blocks, and the perplexity follows', async () => {
    await block(page, layers - 3).click();
    await expect(block(page, layers - 3)).toHaveAttribute('aria-pressed', 'true');
    await block(page, layers - 2).click();
    await expect(now(page)).toContainText(`without blocks ${layers - 3} and ${layers - 2}`);
    await expect(now(page)).toContainText(`${layers - 2} of ${layers}`);
    await expect.poll(() => readPerplexity(page), { timeout: 120_000 }).not.toBe(whole);
    await shot(page, 'journey-2-two-blocks-cut');
  });

  const cut = await readPerplexity(page);

  await test.step('undo and redo bring numbers back at once', async () => {
    await page.getByRole('button', { name: /^Undo/ }).click();
    await expect(now(page)).toContainText(`without block ${layers - 3}`);
    await page.keyboard.press('ControlOrMeta+z');
    await expect(now(page)).toContainText('original model');
    await expect.poll(() => readPerplexity(page), { timeout: 20_000 }).toBe(whole);
    await page.getByRole('button', { name: /^Redo/ }).click();
    await page.keyboard.press('ControlOrMeta+Shift+z');
    await expect.poll(() => readPerplexity(page), { timeout: 60_000 }).toBe(cut);
  });

  // A forward and a backward pass of the demo take a minute on a software adapter: the small model below has them in every run.
  if (longTier) {
    await test.step('all criteria come with one click, also after a cancelled one', async () => {
      const all = allCriteria(page);
      await all.click();
      await page.getByRole('button', { name: 'Cancel' }).first().click();
      await expect(all).toBeEnabled();
      await measureAllCriteria(page);
      await page.getByRole('radio', { name: 'Perplexity' }).check();
    });
  }

  let left = layers - 2;
  if (longTier) {
    await propose(page, layers);
    left = layers - 3;
  }
  const last = (await freshPerplexity(page).textContent()) ?? '';

  // 3,300 tokens of the demo take a minute and a half on two busy cores: the small model below is benchmarked in every run.
  if (longTier) await benchmark(page);

  await test.step('the session is there again after a reload, without the network', async () => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (/\.safetensors|tokenizer\.json|\/demo\/.*\.txt/.test(request.url())) asked.push(request.url());
    });
    await page.reload();
    await expect(now(page)).toContainText(`${left} of ${layers}`, { timeout: 60_000 });
    await expect(freshPerplexity(page)).toHaveText(last, { timeout: 60_000 });
    expect(asked).toEqual([]);
  });

  expect(problems).toEqual([]);
});

test('a source that is no model says why; a model from an address takes the place of another, a plan is proposed, and a variant is benchmarked', async ({
  page,
  folders,
}) => {
  test.setTimeout(600_000);
  const url = folders.put('tiny-c', shortModel('tiny-c'));
  // Small: what the demo shows first has a test of its own.
  await openLink(page, folders.put('tiny-b', shortModel('tiny-b')));
  await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
  const count = await blocks(page).count();
  const load = async (address: string) => {
    await page.getByLabel('From an address').fill(address);
    await page.getByRole('button', { name: 'Load', exact: true }).click();
  };
  await page.getByRole('button', { name: 'Open another model' }).click();
  await test.step('a source that is no model says why, and the open model stays', async () => {
    await load('http://127.0.0.1:9/nowhere/');
    await expect(page.getByText('The model could not be loaded')).toBeVisible();
    await expect(page.getByText(/127\.0\.0\.1:9/).first()).toBeVisible();
    await expect(blocks(page)).toHaveCount(count);
    await shot(page, 'failed-load');
  });
  await load(url);
  await expect(blocks(page)).toHaveCount(8, { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  await measureAllCriteria(page);
  await propose(page, 8);
  await page.keyboard.press('ControlOrMeta+z');
  await expect(now(page)).toContainText('original model');
  await block(page, 5).click();
  await expect(now(page)).toContainText('without block 5');
  await expect(freshPerplexity(page)).toBeVisible({ timeout: 60_000 });
  await benchmark(page);
});
