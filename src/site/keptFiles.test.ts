import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import type { SiteFile } from './files';
import { KeptFiles } from './keptFiles';

const scope = 'https://host/folder/';
const texts: Readonly<Record<string, string>> = { 'index.html': 'shell', 'a.js': 'code', 'big.wasm': 'large' };

function fileOf(path: string, text = texts[path] ?? ''): SiteFile {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { path, sha256, keep: path.endsWith('.wasm') ? 'used' : 'always' };
}

/** A cache over a map, as far as it is used. */
function fakeCache(): Cache & { readonly entries: Map<string, Response> } {
  const entries = new Map<string, Response>();
  const cache = {
    entries,
    keys: async () => [...entries.keys()].map((url) => ({ url })),
    match: async (url: string) => entries.get(url)?.clone(),
    put: async (url: string, response: Response) => void entries.set(url, response),
    delete: async (url: string) => entries.delete(url),
  };
  return cache as unknown as Cache & { readonly entries: Map<string, Response> };
}

/** A build over a cache and a host; `host.files` may change, and `host.down` cuts the network. */
function build(files = Object.keys(texts).map((path) => fileOf(path)), cache = fakeCache()) {
  const host = { files: { ...texts } as Record<string, string>, down: false };
  const fetch = vi.fn(async ({ url }: Request): Promise<Response> => {
    if (host.down) throw new TypeError('no network');
    const text = host.files[url.slice(scope.length)];
    return text === undefined ? new Response('', { status: 404 }) : new Response(text);
  });
  const kept = new KeptFiles({ files, scope, open: async () => cache, fetch });
  const works: Promise<unknown>[] = [];
  const answer = async (path: string): Promise<string> => {
    const response = await kept.answer(kept.fileAt(path)!, new Request(`${scope}${path}`), (work) => works.push(work));
    const text = await response.text();
    await Promise.all(works);
    return text;
  };
  return { kept, host, cache, fetch, answer };
}

test('the files of a build are fetched once, and then answer without a network; large ones when they were used', async () => {
  const { kept, host, fetch, answer } = build();
  expect(await kept.isComplete()).toBe(false);
  await Promise.all([kept.fill(), kept.fill()]);
  expect(fetch).toHaveBeenCalledTimes(2);
  expect(await kept.isComplete()).toBe(true);
  expect(await answer('big.wasm')).toBe('large');
  host.down = true;
  expect(await answer('index.html')).toBe('shell');
  expect(await answer('big.wasm')).toBe('large');
});

test('before the build is complete the network answers first; what passes is kept', async () => {
  const { kept, host, answer } = build();
  expect(await answer('a.js')).toBe('code');
  host.files['a.js'] = 'newer code';
  expect(await answer('a.js')).toBe('newer code');
  host.down = true;
  expect(await answer('a.js')).toBe('code');
  await expect(answer('index.html')).rejects.toThrow('no network');
  expect(await kept.isComplete()).toBe(false);
});

test('bytes of another build are passed on and never kept', async () => {
  const { kept, host, cache, answer } = build();
  host.files['a.js'] = 'other code';
  await expect(kept.fill()).rejects.toThrow('a.js: expected the file of this build');
  expect(await answer('a.js')).toBe('other code');
  expect([...cache.entries.keys()].some((url) => url.endsWith(fileOf('a.js').sha256))).toBe(false);
  host.files['a.js'] = 'code';
  await kept.fill();
  expect(await kept.isComplete()).toBe(true);
});

test('a newer build fetches only what changed, and removes what is no longer its own', async () => {
  const first = build();
  await first.kept.fill();
  const second = build([fileOf('index.html', 'new shell'), fileOf('a.js')], first.cache);
  second.host.files['index.html'] = 'new shell';
  await second.kept.fill();
  expect(second.fetch).toHaveBeenCalledTimes(1);
  expect(await first.answer('index.html')).toBe('shell'); // the old build still runs
  await second.kept.removeOthers();
  expect(first.cache.entries.size).toBe(2);
  expect(await second.answer('index.html')).toBe('new shell');
});

test('once closed, no access makes the cache again, and the network answers', async () => {
  const open = vi.fn(async () => fakeCache());
  const kept = new KeptFiles({ files: [fileOf('a.js')], scope, open, fetch: async () => new Response('code') });
  const later: Promise<unknown>[] = [];
  const early = await kept.answer(kept.fileAt('a.js')!, new Request(`${scope}a.js`), (work) => later.push(work));
  expect(await early.text()).toBe('code');
  await kept.close();
  const opened = open.mock.calls.length;
  await Promise.all(later);
  const response = await kept.answer(kept.fileAt('a.js')!, new Request(`${scope}a.js`), (work) => later.push(work));
  expect(await response.text()).toBe('code');
  await Promise.all(later);
  await kept.removeOthers();
  expect(open).toHaveBeenCalledTimes(opened);
});
