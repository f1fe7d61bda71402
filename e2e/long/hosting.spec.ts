/** @file What docs/hosting.md promises of a plain host: switching the service worker off, a newer build, links that mails changed, frames. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { PlainHost } from '../support/plainHost';
import { expect, test } from '../support/test';

const folder = '/courses/pruning/';
let host: PlainHost;
test.beforeEach(async () => {
  host = await PlainHost.start(folder);
});
test.afterEach(() => host.close());

const registrations = (page: Page): Promise<number> =>
  page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
const caches = (page: Page): Promise<string[]> => page.evaluate(() => window.caches.keys());

/** Opens the page, isolated by its service worker. */
async function open(page: Page): Promise<void> {
  await page.goto(`${host.origin}${folder}?model=`);
  await page.waitForFunction(() => crossOriginIsolated && window.lab !== undefined);
}

/** A report of the demo, which was scored by one criterion. */
async function demoReport(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { lab } = window;
    await lab.load('demo');
    await lab.importance('magnitude');
    return lab.shareUrl({ title: 'A report of the demo' });
  });
}

test('?sw=off removes the service worker and what it stored; a visit without it brings both back', async ({ page }) => {
  await open(page);
  await expect.poll(() => caches(page)).not.toEqual([]);
  await page.goto(`${host.origin}${folder}?model=&sw=off`);
  await expect.poll(() => registrations(page)).toBe(0);
  await expect.poll(() => caches(page)).toEqual([]);
  await expect(page.getByRole('status', { name: 'Site' })).toContainText('one thread');
  // The tab was reloaded for its headers before, which it is once: the status says that the next load isolates it.
  await page.goto(`${host.origin}${folder}?model=`);
  await expect.poll(() => registrations(page)).toBe(1);
  await page.reload();
  await page.waitForFunction(() => crossOriginIsolated && window.lab !== undefined);
});

test('sw-retire.js in place of sw.js does so for every visitor at the next visit', async ({ page }) => {
  await open(page);
  host.replace('sw.js', readFileSync('dist/sw-retire.js', 'utf8'));
  // The page would register the worker again; the browser's own check for a newer one suffices.
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await expect.poll(() => caches(page).catch(() => null), { timeout: 30_000 }).toEqual([]);
});

test('a newer build waits until the user takes it', async ({ page }) => {
  await open(page);
  await page.evaluate(() => navigator.serviceWorker.controller?.postMessage({ secateur: 'fill' }));
  host.replace('sw.js', `${readFileSync('dist/sw.js', 'utf8')}\n// a newer build\n`);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  const line = page.getByRole('status', { name: 'Site' });
  await expect(line).toContainText('A new version is ready', { timeout: 60_000 });
  const loaded = page.waitForEvent('load');
  await line.getByRole('button', { name: 'Use it' }).click();
  await loaded;
  await page.waitForFunction(() => crossOriginIsolated && window.lab !== undefined);
  await expect(line).toHaveCount(0);
});

test('404.html hands on a link whose # became %23, and shows nothing of other addresses', async ({ page }) => {
  await open(page);
  const link = new URL(await demoReport(page));
  await page.goto(`${host.origin}${folder}${link.hash.replace('#', '%23')}`);
  await expect(page.getByRole('heading', { name: 'A report of the demo' })).toBeVisible();
  await page.goto(`${host.origin}${folder}missing.html`);
  await expect(page.getByRole('heading', { name: 'There is no page at this address' })).toBeVisible();
});

test('in another site’s frame a report is shown, the laboratory is not', async ({ page }) => {
  await open(page);
  const { hash } = new URL(await demoReport(page));
  const other = createServer((request, response) => {
    const query = request.url?.startsWith('/embed') ? '?embed=scores' : '';
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(
      `<!doctype html><title>Course</title><iframe title="Framed" width="720" height="520" src="${host.origin}${folder}${query}${hash}"></iframe>`,
    );
  });
  await new Promise<void>((done) => other.listen(0, 'localhost', done));
  const site = `http://localhost:${(other.address() as AddressInfo).port}`;
  try {
    await page.goto(`${site}/embed`);
    const frame = page.frameLocator('iframe');
    await expect(frame.getByText('A report of the demo')).toBeVisible();
    await page.goto(`${site}/whole`);
    await expect(frame.getByText('Secateur works in a tab of its own')).toBeVisible();
  } finally {
    other.closeAllConnections();
    await new Promise((done) => other.close(done));
  }
});
