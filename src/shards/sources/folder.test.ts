/** @file Folders on servers as they are: what breaks on the way, and what changes behind an address. */
import { expect, test } from 'vitest';
import type { RetryPolicy } from '../../io/retry';
import type { Progress } from '../../task';
import { type LoadedModel, type LoadModelOptions, loadModel } from '../download/load';
import type { ShardStore } from '../store/shardStore';
import { compareValidators, type Validator, validatorOf } from '../store/validator';
import { newStore } from '../testing/memory';
import { type Folder, scaledNorm, tinyConfig, tinyFolder, tinyShardedFolder, tinyTensors } from '../testing/tinyModel';
import { cheapBytes } from './freshness';
import { openSource } from './openSource';

const url = 'https://host.test/m/';
const retry: RetryPolicy = {
  attempts: 3,
  firstWait: 1,
  longestWait: 2,
  longestAsked: 50,
  silence: 500,
  leastProgress: 1,
};
const weights = 'model.safetensors';

/** What happens to a request instead of the usual answer; a number cuts the answer after so many bytes. */
type Fault = number | Response | 'stall' | 'drop';

interface ServerOptions {
  /** What its answers say of a version. */
  tags?: 'etag' | 'weak' | 'modified' | 'nothing';
  ranges?: boolean;
  /** Answers a range with the part even if it is of another version. */
  ifRange?: boolean;
  head?: boolean;
}

class Server {
  folder: Folder;
  /** Counts as the time of its files. */
  version = 1;
  readonly options: Required<ServerOptions>;
  readonly requests: string[] = [];
  readonly #faults = new Map<string, Fault[]>();

  constructor(folder: Folder, options: ServerOptions = {}) {
    this.folder = folder;
    this.options = { tags: 'etag', ranges: true, ifRange: true, head: true, ...options };
  }

  fault(name: string, ...faults: Fault[]): void {
    this.#faults.set(name, faults);
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const name = decodeURIComponent(String(input).slice(url.length));
    const method = init.method ?? 'GET';
    const asked = new Headers(init.headers);
    const range = asked.get('range');
    this.requests.push(`${method} ${name}${range === null ? '' : ` ${range}`}`);
    const fault = method === 'GET' ? this.#faults.get(name)?.shift() : undefined;
    if (fault instanceof Response) return fault;
    if (fault === 'drop') throw new TypeError('Failed to fetch');
    const blob = this.folder.get(name);
    if (!blob) return new Response(null, { status: 404 });
    if (method === 'HEAD' && !this.options.head) return new Response(null, { status: 405 });
    const headers = new Headers({ 'content-length': String(blob.size) });
    const tag = `"${this.version}-${blob.size}"`;
    const { tags } = this.options;
    if (tags === 'etag') headers.set('etag', tag);
    if (tags === 'weak') headers.set('etag', `W/${tag}`);
    if (tags === 'modified') headers.set('last-modified', new Date(this.version * 1e10).toUTCString());
    const same = !this.options.ifRange || asked.get('if-range') === tag;
    const begin = range !== null && this.options.ranges && same ? Number(/\d+/.exec(range)![0]) : null;
    if (begin !== null) headers.set('content-range', `bytes ${begin}-${blob.size - 1}/${blob.size}`);
    if (begin !== null) headers.set('content-length', String(blob.size - begin));
    if (method === 'HEAD') return new Response(null, { headers });
    const body = broken(blob.slice(begin ?? 0), fault, init.signal ?? null);
    return new Response(body, { status: begin === null ? 200 : 206, headers });
  };
}

function broken(blob: Blob, fault: Fault | undefined, signal: AbortSignal | null) {
  if (fault === undefined) return blob.stream();
  let given = false;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (!given && typeof fault === 'number') {
        given = true;
        controller.enqueue(new Uint8Array(await blob.slice(0, fault).arrayBuffer()));
      } else if (fault === 'stall') {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      } else controller.error(new TypeError('network error'));
    },
  });
}

async function load(server: Server, store: ShardStore, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const repository = await openSource(url, { baseUrl: 'https://page.test/', fetch: server.fetch, retry });
  const loaded = await loadModel(repository, store, { retry, ...options });
  await loaded.release();
  return loaded;
}

/** The final norm's first weight: tells the versions apart. */
async function norm({ checkpoint }: LoadedModel): Promise<number> {
  return new Float32Array((await checkpoint.read(checkpoint.modelTensor('finalNorm'))).buffer)[0]!;
}

const original = new Float32Array(
  (tinyTensors().find(({ name }) => name === 'model.norm.weight')!.data as Uint8Array<ArrayBuffer>).slice().buffer,
)[0]!;
const halved = (): Folder => tinyFolder(tinyConfig, scaledNorm(0.5));
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(String, (thrown: unknown) => thrown);

test.each<[string, ServerOptions, number]>([
  ['goes on where it broke, by the version’s tag', {}, 2],
  ['comes again where the server refuses ranges', { ranges: false }, 2],
  ['comes again where a tag is weak', { tags: 'weak' }, 0],
  ['comes again where nothing names a version, if its beginning is the same', { tags: 'nothing' }, 0],
  ['goes on where a server heeds no If-Range, since the part names its version', { ifRange: false }, 2],
])('a file that breaks off twice %s', async (_, options, ranged) => {
  const server = new Server(tinyFolder(), options);
  server.fault(weights, 3000, 4000);
  const loaded = await load(server, await newStore());
  expect(await norm(loaded)).toBe(original);
  expect(server.requests.filter((each) => each.startsWith(`GET ${weights} bytes=`)).length).toBe(ranged);
  expect(loaded.stored.files.find(({ name }) => name === weights)?.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test.each<[string, Fault[]]>([
  ['503', [new Response(null, { status: 503 })]],
  ['429 with a wait', [new Response(null, { status: 429, headers: { 'retry-after': '0' } })]],
  ['a dropped line', ['drop']],
  ['silence', ['stall']],
])('%s passes: the demo and folders try again', async (_, faults) => {
  const server = new Server(tinyFolder());
  for (const name of ['config.json', weights]) server.fault(name, ...faults);
  expect(await norm(await load(server, await newStore()))).toBe(original);
});

test('what goes on failing is told after the attempts; a wait beyond the bound is not waited for', async () => {
  const server = new Server(tinyFolder());
  server.fault(weights, 10, 'drop', 'drop', 'drop', 'drop', 'drop');
  expect(await failure(load(server, await newStore()))).toMatchObject({ code: 'network' });
  expect(server.requests.filter((each) => each.startsWith(`GET ${weights}`)).length).toBeLessThan(7);
  server.fault(weights, new Response(null, { status: 503, headers: { 'retry-after': '3600' } }));
  expect(await failure(load(server, await newStore()))).toMatchObject({ message: expect.stringContaining('503') });
});

test('a server that sends a byte per attempt is not asked for ever', async () => {
  const server = new Server(tinyFolder());
  server.fault(weights, ...Array.from({ length: 1000 }, () => 1));
  const { leastProgress: _, ...usual } = retry;
  const repository = await openSource(url, { baseUrl: 'https://page.test/', fetch: server.fetch, retry: usual });
  expect(await failure(loadModel(repository, await newStore()))).toMatchObject({ code: 'network' });
  expect(server.requests.filter((each) => each.startsWith(`GET ${weights}`)).length).toBeLessThan(6);
});

test('a file that becomes another one on the way is not joined: the load starts anew', async () => {
  for (const options of [{}, { tags: 'nothing' }, { tags: 'modified' }, { ifRange: false }] as ServerOptions[]) {
    const server = new Server(tinyFolder(), options);
    server.fault(weights, 8000);
    const usual = server.fetch;
    const changing = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
      const before = server.requests.filter((each) => each.startsWith(`GET ${weights}`)).length;
      if (before === 1 && String(input).endsWith(weights) && init.method !== 'HEAD') {
        server.folder = tinyFolder(tinyConfig, tinyTensors(tinyConfig, 2));
        server.version = 2;
      }
      return usual(input, init);
    };
    const repository = await openSource(url, { baseUrl: 'https://page.test/', fetch: changing, retry });
    const loaded = await loadModel(repository, await newStore(), { retry });
    const second = tinyTensors(tinyConfig, 2).find(({ name }) => name === 'model.norm.weight')!;
    const expected = new Float32Array((second.data as Uint8Array<ArrayBuffer>).slice().buffer)[0];
    expect(await norm(loaded), JSON.stringify(options)).toBe(expected);
  }
});

test('shards of two versions are not joined; a folder that never holds still is refused', async () => {
  const server = new Server(tinyShardedFolder(3));
  let answered = 0;
  const changing = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (String(input).includes('00002-of') && init.method !== 'HEAD') {
      answered += 1;
      if (answered <= 1) {
        server.folder = tinyShardedFolder(3, tinyConfig, tinyTensors(tinyConfig, 2));
        server.version = 2;
      }
    }
    return server.fetch(input, init);
  };
  const open = (fetch: typeof changing) => openSource(url, { baseUrl: 'https://page.test/', fetch, retry });
  const loaded = await loadModel(await open(changing), await newStore(), { retry });
  const embed = tinyTensors(tinyConfig, 2).find(({ name }) => name === 'model.embed_tokens.weight')!;
  expect(await loaded.checkpoint.read(loaded.checkpoint.modelTensor('embed'))).toEqual(embed.data);
  const restless = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    server.version += 1;
    if (String(input).includes('00002-of')) {
      server.folder = tinyShardedFolder(3, tinyConfig, tinyTensors(tinyConfig, server.version));
    }
    return server.fetch(input, init);
  };
  expect(await failure(loadModel(await open(restless), await newStore(), { retry }))).toMatchObject({
    code: 'bad-download',
    message: expect.stringContaining('changed during the download'),
  });
});

test.each<[string, ServerOptions]>([
  ['by its tag', {}],
  ['by a weak tag', { tags: 'weak' }],
  ['by its time', { tags: 'modified' }],
  ['by its bytes, where the server says nothing', { tags: 'nothing' }],
  ['where HEAD is refused', { head: false }],
])('weights that changed behind an address are fetched again: seen %s', async (_, options) => {
  const server = new Server(tinyFolder(), options);
  const store = await newStore();
  const first = await load(server, store);
  const same = await load(server, store);
  expect(same).toMatchObject({ downloadedBytes: 0, stored: { revision: first.stored.revision } });
  expect(await norm(same)).toBe(original);
  server.folder = halved();
  server.version = 2;
  const second = await load(server, store);
  expect(await norm(second)).toBe(original / 2);
  expect(second.stored.revision).not.toBe(first.stored.revision);
  expect(second.notes).toEqual([expect.stringMatching(/changed/)]);
  expect(second.downloadedBytes).toBeGreaterThan(0);
  expect(await store.list()).toHaveLength(1);
});

test('a person is asked, and may have either; the copy stays until the new version is complete', async () => {
  const server = new Server(tinyFolder());
  const store = await newStore();
  await load(server, store);
  server.folder = halved();
  server.version = 2;
  expect(await failure(load(server, store, { changed: 'ask' }))).toMatchObject({
    code: 'changed',
    message: expect.stringMatching(/^config\.json, model\.safetensors of https:\/\/host\.test\/m\/ changed since 20/),
  });
  const copy = await load(server, store, { changed: 'stored' });
  expect(copy).toMatchObject({ outdated: true, downloadedBytes: 0, notes: [expect.stringContaining('stored copy')] });
  expect(await norm(copy)).toBe(original);
  server.fault(weights, 'drop', 'drop', 'drop', 'drop');
  expect(await failure(load(server, store))).toMatchObject({ code: 'network' });
  expect(await norm(await load(server, store, { changed: 'stored' }))).toBe(original);
  expect(await norm(await load(server, store))).toBe(original / 2);
});

test('a file that has come or gone is a change, too', async () => {
  const server = new Server(tinyShardedFolder(2));
  const store = await newStore();
  await load(server, store);
  server.folder.set(weights, halved().get(weights)!);
  expect(await failure(load(server, store, { changed: 'ask' }))).toMatchObject({
    message: expect.stringContaining(`${weights} of`),
  });
  server.folder.delete(weights);
  server.folder.set('tokenizer.json', new Blob(['{}']));
  expect(await failure(load(server, store, { changed: 'ask' }))).toMatchObject({
    message: expect.stringContaining('tokenizer.json of'),
  });
});

test('a server that cannot be asked, or holds no model any more: the stored copy opens with a note', async () => {
  const server = new Server(tinyFolder());
  const store = await newStore();
  await load(server, store);
  server.folder = new Map();
  const gone = await load(server, store);
  expect(gone).toMatchObject({
    downloadedBytes: 0,
    notes: [expect.stringContaining('config.json is no longer there')],
  });
  const offline = await openSource(url, {
    baseUrl: 'https://page.test/',
    retry,
    fetch: () => Promise.reject(new TypeError('Failed to fetch')),
  });
  const { notes, release } = await loadModel(offline, store);
  expect(notes).toEqual([
    expect.stringMatching(/could not check .*Failed to fetch.*This is the stored copy from that day\.$/),
  ]);
  await release();
});

test('a large model of a server that says nothing opens with a note', async () => {
  const server = new Server(tinyFolder(), { tags: 'nothing' });
  const store = await newStore();
  const { stored } = await load(server, store);
  const find = store.find.bind(store);
  store.find = async (id) => {
    const found = await find(id);
    return found && { ...found, bytes: cheapBytes + 1 };
  };
  const again = await load(server, store);
  expect(again.stored.load).toBe(stored.load);
  expect(again.notes).toEqual([expect.stringContaining('does not report whether its files have changed')]);
});

test('lengths of compressed answers, pages instead of files, and a login page behind a redirect', async () => {
  const server = new Server(tinyFolder());
  const compressed = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const answer = await server.fetch(input, init);
    answer.headers.set('content-encoding', 'gzip');
    answer.headers.set('content-length', '17');
    return answer;
  };
  const open = (fetch: typeof compressed) => openSource(url, { baseUrl: 'https://page.test/', fetch, retry });
  const progress: Progress[] = [];
  const loaded = await loadModel(await open(compressed), await newStore(), {
    onProgress: (each) => progress.push(each),
  });
  expect(await norm(loaded)).toBe(original);
  expect(progress.every(({ done, total }) => done <= total)).toBe(true);
  const login = async () => new Response('<html>Sign in</html>', { headers: { 'content-type': 'text/html' } });
  expect(await failure(loadModel(await open(login), await newStore()))).toMatchObject({
    code: 'missing-file',
    message: expect.stringContaining('got a web page'),
  });
  // The page of a captive portal on the second attempt is no rest of the file.
  server.fault(weights, 3000, await login());
  expect(await norm(await load(server, await newStore()))).toBe(original);
});

test('answers are told apart by tag before time, and not at all where neither is fine enough', () => {
  const of = (headers: Record<string, string>): Validator => validatorOf(new Response(null, { headers }));
  const time = 'Wed, 21 Oct 2026 07:28:00 GMT';
  const later = 'Wed, 21 Oct 2026 09:00:00 GMT';
  const compare = (a: Record<string, string>, b: Record<string, string>) => compareValidators(of(a), of(b));
  expect(compare({ etag: '"a"' }, { etag: 'W/"a-gzip"' })).toBe('same');
  expect(compare({ etag: '"a"' }, { etag: '"b"' })).toBe('changed');
  expect(compare({ etag: '"a"', 'last-modified': time }, { etag: '"a"', 'last-modified': later })).toBe('same');
  const dated = { 'last-modified': time, date: later };
  expect(compare(dated, { 'last-modified': time })).toBe('same');
  expect(compare(dated, { 'last-modified': later })).toBe('changed');
  expect(compare({ 'last-modified': time, date: time }, { 'last-modified': time })).toBe('unknown');
  expect(compare({ 'content-length': '1' }, { 'content-length': '2' })).toBe('changed');
  expect(compare({ 'content-length': '1' }, { 'content-length': '1' })).toBe('unknown');
  expect(compare({ 'content-length': '1', 'content-encoding': 'br' }, { 'content-length': '2' })).toBe('unknown');
});
