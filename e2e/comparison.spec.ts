/** @file Depth against width on the page: charts of given rows, their tables and images, within the page's policy. */
import { readFileSync } from 'node:fs';
import { syntheticComparison } from '../src/report/testing/syntheticComparison';
import { expect, openLab, test } from './support/test';
import { violations } from './support/violations';

test('charts of thirteen models have tables with the same numbers, and images', async ({ page, problems }) => {
  const said = await violations(page);
  await openLab(page);
  const id = await page.evaluate(async () => (await window.lab.load('demo')).id);
  const rows = syntheticComparison(id);
  await page.evaluate((given) => window.lab.restoreComparison(given), rows);

  const stage = page.getByRole('region', { name: 'Depth against width' });
  await expect(stage.getByRole('button', { name: 'Depth against width at 20 %' })).toBeEnabled();
  await expect(stage.getByText('emulated GPU: times prove nothing about real GPUs').first()).toBeVisible();
  await expect(stage.getByRole('region', { name: 'Which one wins where' })).toContainText('Quality');

  const figures = [
    ['Perplexity against parameters removed', rows.length],
    ['Perplexity against measured latency per token', rows.length],
    ['Speed-up against batch size', 4 * (rows.length - 1)],
  ] as const;
  for (const [name, marks] of figures) {
    await expect(stage.getByRole('figure', { name }).locator('.marks > .mark')).toHaveCount(marks);
  }

  const size = stage.getByRole('figure', { name: 'Perplexity against parameters removed' });
  await size.getByText('Table', { exact: true }).click();
  for (const { variant, name, perplexity } of rows) {
    const row = size.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
    await expect(row, variant).toContainText(perplexity.wgsl!.perplexity.toFixed(3));
  }

  // The keyboard reads what the pointer reads.
  const mark = size.getByRole('img', { name: /^original model, perplexity 1.838/ });
  await mark.focus();
  await expect(size.locator('.chart-tip')).toContainText('perplexity 1.838');
  await page.keyboard.press('ArrowRight');
  await expect(size.locator('.chart-tip')).toContainText('Taylor+ 20 %');

  const downloaded = async (format: 'PNG' | 'SVG'): Promise<Buffer> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      size.getByRole('button', { name: new RegExp(`as ${format}$`) }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(
      new RegExp(`^secateur-storybook-perplexity-parameters-.*\\.${format.toLowerCase()}$`),
    );
    return readFileSync(await download.path());
  };
  const svg = (await downloaded('SVG')).toString();
  expect(svg).toContain('Perplexity against parameters removed');
  expect(svg).toContain('before and after repair');
  expect(svg).not.toMatch(/var\(|light-dark|class=|style=/);
  const png = (await downloaded('PNG')).toString('base64');
  const image = await page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
    const counts = new Map<number, number>();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return { width: bitmap.width, colours: counts.size, drawn: 1 - most / pixels.length };
  }, png);
  expect(image.width).toBeGreaterThan(800);
  expect(image.colours).toBeGreaterThan(50);
  expect(image.drawn).toBeGreaterThan(0.02);

  const table = page.getByRole('region', { name: 'Comparison', exact: true });
  await table.getByRole('button', { name: 'perplexity WGSL' }).click();
  await expect(table.getByRole('rowheader').nth(1)).toContainText('Taylor+ 20 %, ReplaceMe');
  await expect(table.getByRole('row').nth(2)).toContainText('1.962 → 1.893');
  expect(said).toEqual([]);
  expect(problems).toEqual([]);
});
