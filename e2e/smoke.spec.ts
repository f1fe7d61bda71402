/** @file The ground that everything else stands on: isolation, WebGPU, a page without errors. */
import { expect, openPage, test } from './support/test';

test('the page is cross-origin isolated, so that wasm can use threads, and has WebGPU on the software adapter', async ({
  page,
}) => {
  await page.goto('./?model=');
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe('function');
  const adapter = await page.evaluate(async () => {
    const found = await navigator.gpu.requestAdapter();
    return found === null ? null : `${found.info.vendor} ${found.info.architecture}`;
  });
  expect(adapter).toContain('swiftshader');
});

test('the page opens with a title, a main landmark and no error in the console', async ({ page, problems }) => {
  await openPage(page);
  await expect(page).toHaveTitle(/Secateur/);
  await expect(page.getByRole('main')).toBeVisible();
  expect(problems).toEqual([]);
});
