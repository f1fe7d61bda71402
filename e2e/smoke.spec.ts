/** @file The ground that everything else stands on: isolation, WebGPU, a page without errors. */
import { expect, openLab, test } from './support/test';

test('the page opens without an error, cross-origin isolated, so that wasm can use threads, and has WebGPU on the software adapter', async ({
  page,
  problems,
}) => {
  await openLab(page);
  await expect(page).toHaveTitle(/Secateur/);
  await expect(page.getByRole('main')).toBeVisible();
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe('function');
  const adapter = await page.evaluate(async () => {
    const found = await navigator.gpu.requestAdapter();
    return found === null ? null : `${found.info.vendor} ${found.info.architecture}`;
  });
  expect(adapter).toContain('swiftshader');
  expect(problems).toEqual([]);
});
