/** @file The Hub as a source in a real browser: look up, download, a tab killed in the middle, two tabs, a token. */
import type { Page } from '@playwright/test';
import { checkpoint, fixture } from './support/checkpoint';
import type { FakeHub } from './support/fakeHub';
import { test } from './support/hubTest';
import { expect, expectClose, type Failure, openLab } from './support/test';

const repo = 'owner/tiny-b';
const { folder } = fixture('tiny-b');
const total = [...folder.values()].reduce((sum, bytes) => sum + bytes.length, 0);
const weightBytes = [...folder].reduce(
  (sum, [name, { length }]) => sum + (name.endsWith('.safetensors') ? length : 0),
  0,
);

const load = (page: Page, hub: FakeHub, token?: string) =>
  page.evaluate(([source, options]) => window.lab.load(source, options), [
    repo,
    { hub: hub.url, ...(token === undefined ? {} : { token }) },
  ] as const);

test('looked up, downloaded and opened from the page; then it opens without the network', async ({ page, hub }) => {
  const sha = hub.put(repo, { folder, licence: 'mit' });
  await page.goto(`./?model=&hub=${hub.url}`);
  const panel = page.getByRole('region', { name: 'Hugging Face Hub' });
  await expect(panel.getByRole('button', { name: /SmolLM2-135M/ })).toBeVisible();
  await panel.getByLabel('Name or address on the Hub').fill(repo);
  await panel.getByRole('button', { name: 'Look it up' }).click();
  const card = panel.getByRole('region', { name: /^Before the download/ });
  await expect(card).toHaveAccessibleName(`Before the download: ${repo}@${sha}`);
  await expect(card).toContainText(`@${sha.slice(0, 7)}`);
  await expect(card).toContainText('mit');
  expect(hub.sentBytes).toBe(0);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await panel.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.setViewportSize({ width: 1280, height: 900 });
  await card.getByRole('button', { name: 'Download and open' }).click();
  await expect(page.getByRole('button', { name: 'Open another model' })).toBeVisible();
  expect(hub.sentBytes).toBe(weightBytes);
  hub.reset();
  await openLab(page);
  const info = await page.evaluate((source) => window.lab.load(source), `${repo}@${sha}`);
  expect(info).toMatchObject({ revision: sha, downloadedBytes: 0, storedBytes: total });
  expect(hub.requests).toEqual([]);
});

test('a tab killed in the middle: the next one lists the download and goes on', async ({ page, context, hub }) => {
  hub.put(repo, { folder });
  const names = [...folder.keys()].filter((name) => name.endsWith('.safetensors')).sort();
  // The first shards come, the last one trickles.
  hub.fault({ kind: 'slow', bytesPerSecond: 200, file: names.at(-1)! });
  await openLab(page);
  const loading = load(page, hub).catch(() => 'killed');
  const last = (): number => hub.sent.get(names.at(-1)!) ?? 0;
  await expect.poll(last).toBeGreaterThan(0);
  await page.close();
  expect(await loading).toBe('killed');
  hub.fault();
  const before = hub.sentBytes;
  const next = await context.newPage();
  await openLab(next);
  const unfinished = await next.evaluate(() => window.lab.unfinished());
  expect(unfinished).toMatchObject([{ id: `hf:${repo}`, active: false }]);
  expect(unfinished[0]!.bytes).toBeGreaterThan(0);
  const info = await load(next, hub);
  expect(info.storedBytes).toBe(total);
  // The shards that were whole did not come again: only the chunk under way did (a shard here is one chunk).
  // What the killed tab's connection still had on its way when `before` was read is a few bytes.
  expect(Math.abs(hub.sentBytes - before - (weightBytes - unfinished[0]!.bytes))).toBeLessThan(1000);
  expect(hub.sent.get(names[0]!)).toBe(folder.get(names[0]!)!.length);
  expect(await next.evaluate(() => window.lab.unfinished())).toEqual([]);
});

test('two tabs at once, addresses that expired, a busy Hub: every byte comes once', async ({ page, context, hub }) => {
  hub.put(repo, { folder });
  // The browser follows the redirect by itself: what the second origin refuses must be asked of the first one again.
  hub.fault(
    { kind: 'expired', times: 2 },
    { kind: 'status', status: 503, times: 1 },
    { kind: 'slow', bytesPerSecond: 1e5 },
  );
  const other = await context.newPage();
  await Promise.all([openLab(page), openLab(other)]);
  const infos = await Promise.all([load(page, hub), load(other, hub)]);
  expect(infos.map((info) => info.storedBytes)).toEqual([total, total]);
  expect(hub.sentBytes).toBe(weightBytes);
});

test('a busy Hub, a cut, a wrong byte and a server without ranges: the model comes whole', async ({ page, hub }) => {
  hub.put(repo, { folder });
  hub.fault(
    { kind: 'status', status: 429, retryAfter: '1', times: 1 },
    { kind: 'cut', bytes: 500, times: 1 },
    { kind: 'wrong', at: 2000, times: 1 },
    { kind: 'wrong', at: 20, file: 'config.json', times: 1 },
    { kind: 'whole', times: 1 },
  );
  await openLab(page);
  const info = await load(page, hub);
  expect(info.storedBytes).toBe(total);
  // Its weights are those of the checkpoint: PyTorch's perplexity.
  const { golden } = fixture('tiny-b');
  const { perplexity } = await page.evaluate(
    (tokenIds) => window.lab.perplexity('base', { tokenIds, runtime: 'ort-wasm' }),
    golden.calibration_token_ids,
  );
  expectClose(perplexity, golden.base_ppl, 1e-3, 'perplexity');
  // A server that sends other bytes each time it is asked is not believed.
  hub.put('owner/other', { folder });
  hub.fault({ kind: 'wrong', at: 2000 });
  const refused = await page.evaluate(
    ([address]) => window.failure(window.lab.load('owner/other', { hub: address! })),
    [hub.url],
  );
  expect(refused).toMatchObject({ code: 'bad-download', message: expect.stringContaining('SHA-256') });
  expect((await page.evaluate(() => window.lab.stored())).length).toBe(1);
});

test('a gated model: the token opens it and rests nowhere', async ({ page, hub }) => {
  const token = 'hf_averysecrettoken';
  hub.put(repo, { folder, token });
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  await openLab(page);
  const refused = await page.evaluate(
    async ([source, address]) => window.failure(window.lab.load(source, { hub: address })),
    [repo, hub.url] as const,
  );
  expect(refused satisfies Failure).toMatchObject({ code: 'gated' });
  await load(page, hub, token);
  const kept = await page.evaluate(async () => {
    const texts: string[] = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), location.href];
    texts.push(JSON.stringify(await window.lab.report()));
    const promised = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    for (const { name } of await indexedDB.databases()) {
      const database = await promised(indexedDB.open(name!));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([promised(objects.getAllKeys()), promised(objects.getAll())]);
        texts.push(JSON.stringify([keys, values]));
        for (const value of values) if (value instanceof Blob) texts.push(await value.text());
      }
      database.close();
    }
    return texts;
  });
  expect(kept.join().length).toBeGreaterThan(1000);
  expect(kept.join()).not.toContain(token);
  expect(said.join()).not.toContain(token);
  expect(hub.urls.join()).not.toContain(token);
  expect(hub.leaked).toEqual([]);
});

test('a shard of many chunks: after the tab was killed, at most a chunk per connection comes twice', async ({
  page,
  context,
  hub,
}) => {
  const large = checkpoint({ hidden: 512, layers: 2, heads: 8, kvHeads: 8, headDim: 64, ffn: 1024, vocab: 36_000 });
  const { length } = large.get('model.safetensors')!;
  const chunk = 16 * 2 ** 20;
  expect(length).toBeGreaterThan(5 * chunk);
  hub.put(repo, { folder: large });
  // Two connections are cut and go on at once, two trickle until the tab is killed.
  hub.fault({ kind: 'cut', bytes: 4_000_000, times: 2 }, { kind: 'slow', bytesPerSecond: 400_000, times: 2 });
  await openLab(page);
  const loading = load(page, hub).catch(() => 'killed');
  const stored = () => page.evaluate(() => window.lab.unfinished().then(([first]) => first?.bytes ?? 0));
  await expect.poll(stored).toBeGreaterThanOrEqual(2 * chunk);
  await page.close();
  expect(await loading).toBe('killed');
  hub.fault();
  const next = await context.newPage();
  await openLab(next);
  const info = await load(next, hub);
  expect(info.storedBytes).toBe([...large.values()].reduce((sum, bytes) => sum + bytes.length, 0));
  expect(hub.sentBytes - length).toBeLessThanOrEqual(4 * chunk);
  expect(info.downloadedBytes).toBeLessThan(length - 2 * chunk + 4_000_000);
});

test('a stored model opens when the Hub is silent', async ({ page, hub }) => {
  await openLab(page);
  const sha = hub.put(repo, { folder });
  await load(page, hub);
  await page.route(`${hub.url}/**`, (route) => route.abort());
  expect(await load(page, hub)).toMatchObject({ revision: sha, downloadedBytes: 0 });
});
