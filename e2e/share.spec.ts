/** @file A report leaves the page: as a link with a QR code, as files, and as slides for a projector. */
import jsQR from 'jsqr';
import { syntheticComparison } from '../src/report/testing/syntheticComparison';
import { expect, openLab, test } from './support/test';

/** Reads a QR code of the page with another library: its path has a rectangle for each run of dark modules. */
function readCode(size: number, path: string): string | undefined {
  const zoom = 4;
  const side = size * zoom;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * zoom; row < (Number(y) + 1) * zoom; row++) {
      const from = row * side + Number(x) * zoom;
      for (let at = from; at < from + Number(width) * zoom; at++) pixels.fill(0, at * 4, at * 4 + 3);
    }
  }
  return jsQR(pixels, side, side)?.data;
}

test('a report becomes a link with a QR code, a file, and slides', async ({ page, problems, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const rows = syntheticComparison('demo')
    .slice(0, 2)
    .map((row) => ({ ...row, latency: row.latency.slice(0, 1) }));
  await openLab(page);
  await page.evaluate(async (given) => {
    await window.lab.load('demo');
    await window.lab.restoreComparison(given);
  }, rows);
  const share = page.getByRole('button', { name: 'Share', exact: true });
  const dialog = page.getByRole('dialog', { name: 'Share this report' });

  const link = await test.step('the dialog has a short link, with the author’s words in it', async () => {
    await share.click();
    const field = dialog.getByRole('textbox', { name: 'Link of the report' });
    await expect(field).toHaveValue(/#s1\./);
    const before = await field.inputValue();
    await dialog.getByRole('textbox', { name: /^Title/ }).fill('Two blocks less');
    await expect(field).not.toHaveValue(before);
    const url = await field.inputValue();
    expect(url.length).toBeLessThanOrEqual(800);
    await expect(dialog.getByRole('status')).toContainText(`${url.length} characters`);
    await dialog.getByRole('button', { name: 'Copy link' }).click();
    await expect(dialog.getByRole('status')).toContainText('Copied.');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(url);
    return url;
  });

  await test.step('another library reads the QR code', async () => {
    const code = dialog.getByRole('img', { name: 'QR code of the link' });
    const [, , size] = ((await code.getAttribute('viewBox')) ?? '').split(' ').map(Number);
    const path = (await code.locator('path').getAttribute('d')) ?? '';
    expect(readCode(size ?? 0, path)).toBe(link);
    await dialog.getByRole('button', { name: 'Full screen' }).click();
    const large = page.getByRole('dialog', { name: 'QR code, full screen' });
    await large.getByRole('button', { name: 'Close the QR code' }).click();
    await expect(large).toHaveCount(0);
    await expect(dialog).toBeVisible();
  });

  await test.step('files have the same content; the focus returns', async () => {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Markdown' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('secateur-two-blocks-less.md');
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await expect(share).toBeFocused();
  });

  await test.step('the keyboard walks the slides', async () => {
    await page.keyboard.press('Alt+P');
    const slides = page.getByRole('dialog', { name: 'Slides' });
    const heading = slides.getByRole('heading', { level: 2 });
    await expect(heading).toHaveText('Two blocks less');
    const walked = [
      ['PageDown', 'What was removed'],
      ['ArrowRight', 'Quality against size'],
      [' ', 'Time of a whole generation'],
      ['End', 'Conclusion'],
      ['ArrowLeft', 'Time of a whole generation'],
      ['Home', 'Two blocks less'],
    ] as const;
    for (const [key, title] of walked) {
      await page.keyboard.press(key);
      await expect(heading).toHaveText(title);
    }
    await expect(slides.getByRole('status')).toHaveText(/1 \/ 5/);
    await page.keyboard.press('Escape');
    await expect(slides).toHaveCount(0);
    await expect(share).toBeFocused();
  });
  expect(problems).toEqual([]);
});
