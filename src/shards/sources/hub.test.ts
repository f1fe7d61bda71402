/** @file Models from a stand-in Hub over real sockets: every way in which a download can go wrong, and end well. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeHub } from '../../../e2e/support/fakeHub';
import type { RetryPolicy } from '../../io/retry';
import { type LoadModelOptions, loadModel } from '../download/load';
import type { ShardStore } from '../store/shardStore';
import { fakeLocks } from '../testing/locks';
import { newDatabase, newStore, residue, withQuota } from '../testing/memory';
import { type Folder, tinyConfig, tinyFolder, tinyShardedFolder, tinyTensors } from '../testing/tinyModel';
import { parseHubSource } from './hubSource';
import { openSource, type SourceOptions } from './openSource';
import type { Repository } from './repository';

let hub: FakeHub;
const repo = 'owner/name';
const weights = 'model.safetensors';
const retry: RetryPolicy = { attempts: 4, firstWait: 1, longestWait: 5, longestAsked: 1500, silence: 5000 };
const chunkBytes = 1024;

beforeAll(async () => {
  hub = await FakeHub.start();
});
afterAll(() => hub.stop());
beforeEach(() => hub.reset());

async function bytesOf(folder: Folder): Promise<Map<string, Uint8Array>> {
  const entries = [...folder].map(async ([name, blob]) => [name, new Uint8Array(await blob.arrayBuffer())] as const);
  return new Map(await Promise.all(entries));
}

const publish = async (folder = tinyFolder(), token: string | null = null) =>
  hub.put(repo, { folder: await bytesOf(folder), token, licence: 'apache-2.0' });

const open = (options: Partial<SourceOptions> = {}, source = repo): Promise<Repository> =>
  openSource(source, { baseUrl: 'https://page.test/', hub: hub.url, retry, ...options });

const store = (options: Parameters<typeof newStore>[0] = {}): Promise<ShardStore> =>
  newStore({ chunkBytes, ...options });

async function load(into: ShardStore, options: LoadModelOptions = {}, source: Partial<SourceOptions> = {}) {
  return loadModel(await open(source), into, { retry, ...options });
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );

/** The stored weights, to the byte. */
async function expectWhole(into: ShardStore): Promise<void> {
  const model = await into.find(`hf:${repo}`);
  const sent = await bytesOf(tinyFolder());
  const kept = await into.file(model!, weights);
  expect(new Uint8Array(await kept.arrayBuffer())).toEqual(sent.get(weights));
}

const size = (): Promise<number> => bytesOf(tinyFolder()).then((folder) => folder.get(weights)!.length);

test.each([
  ['owner/name', 'main'],
  ['hf:owner/name', 'main'],
  ['owner/name@v1.0', 'v1.0'],
  ['https://huggingface.co/owner/name', 'main'],
  ['https://huggingface.co/owner/name/tree/refs%2Fpr%2F1', 'refs/pr/1'],
  ['https://huggingface.co/owner/name/blob/abc/model.safetensors', 'abc'],
  ['https://huggingface.co/owner/name/resolve/main/config.json?download=true', 'main'],
  ['https://hf.co/owner/name/', 'main'],
  ['hf://owner/name', 'main'],
  ['huggingface.co/owner/name', 'main'],
  ['www.huggingface.co/owner/name/tree/v2?x=1#files', 'v2'],
  ['https://huggingface.co/owner/name/tree/refs/pr/1', 'refs/pr/1'],
  ['https://huggingface.co/owner/name/commits/v2', 'v2'],
  ['https://huggingface.co/owner/name/discussions/3', 'main'],
])('%s is on the Hub at %s', (text, revision) => {
  expect(parseHubSource(text, 'https://huggingface.co')).toEqual({ repo, revision });
});

test('other addresses are not on the Hub, data sets are no models', () => {
  expect(parseHubSource('https://host.test/owner/name/', 'https://huggingface.co')).toBeNull();
  expect(parseHubSource('demo', 'https://huggingface.co')).toBeNull();
});

test.each([
  ['https://huggingface.co/datasets/a/b', 'is a data set'],
  ['datasets/a', 'is a data set'],
  ['huggingface.co/spaces/a/b', 'is a space'],
  ['https://huggingface.co/gpt2', 'a model is owner/name'],
  ['https://huggingface.co/', 'a model is owner/name'],
  ['https://huggingface.co/owner/name/tree/main/onnx/fp16', 'the folder onnx/fp16 within a model'],
  ['https://huggingface.co/owner/name/tree/%E0%A4%A', "'%E0%A4%A' is not a revision"],
  ['owner/name@a b', "'a b' is not a revision"],
  ['https://me:secret@huggingface.co/owner/name', 'contains a user name or password'],
])('%s is refused with the reason', (text, reason) => {
  expect(() => parseHubSource(text, 'https://huggingface.co')).toThrow(reason);
});

test('spaces around a name are not part of it; a name without an owner is told so', async () => {
  const sha = await publish();
  expect(await open({}, `  ${repo}@${sha}\n`)).toMatchObject({ revision: sha });
  expect(await failure(open({}, 'gpt2'))).toMatchObject({ code: 'bad-source', message: /'gpt2' has no owner/ });
});

test('a model by its name: pinned to its commit, whole, no unfinished download left', async () => {
  const sha = await publish();
  const use = newDatabase();
  const into = await store({ useStore: use });
  const { stored, checkpoint, downloadedBytes } = await load(into);
  expect(stored).toMatchObject({ id: `hf:${repo}`, source: `${repo}@${sha}`, revision: sha });
  expect(downloadedBytes).toBe(stored.bytes);
  expect(hub.sent.get(weights)).toBe(await size());
  await expectWhole(into);
  const embed = tinyTensors().find((tensor) => tensor.name === 'model.embed_tokens.weight');
  expect(await checkpoint.read(checkpoint.modelTensor('embed'))).toEqual(embed!.data);
  expect(await into.unfinished()).toEqual([]);
  expect((await residue(use)).pending).toBe(0);
});

test('a pinned model that is stored opens without a request; shards load as well', async () => {
  const sha = await publish(tinyShardedFolder(3));
  const into = await store();
  await load(into);
  hub.reset();
  const again = await loadModel(await open({}, `${repo}@${sha}`), into);
  expect(again.downloadedBytes).toBe(0);
  expect(hub.requests).toEqual([]);
});

test.each([
  ['429 with a Retry-After', { kind: 'status', status: 429, retryAfter: '1', times: 1 } as const],
  ['503 twice', { kind: 'status', status: 503, times: 2 } as const],
  ['an address that expired', { kind: 'expired', times: 2 } as const],
  ['cut connections', { kind: 'cut', bytes: 100, times: 6 } as const],
  ['connections that fall silent', { kind: 'silent', bytes: 100, times: 2 } as const],
])('%s: the load goes on, and nothing comes twice', async (_, fault) => {
  await publish();
  hub.fault({ ...fault, file: weights });
  const into = await store();
  await load(into, fault.kind === 'silent' ? { retry: { ...retry, silence: 1000 } } : {});
  await expectWhole(into);
  expect(hub.sent.get(weights)).toBe(await size());
});

test('a server that only ever fails: told after so many attempts, and no sooner', async () => {
  await publish();
  hub.fault({ kind: 'status', status: 503, file: weights });
  expect(await failure(load(await store(), { connections: 1 }))).toMatchObject({ code: 'network', message: /503/ });
  expect(hub.requests.filter((request) => request.startsWith('resolve') && request.endsWith(weights))).toHaveLength(4);
});

test('a server that asks for a longer wait than a person has is not waited for', async () => {
  await publish();
  hub.fault({ kind: 'status', status: 429, retryAfter: '3600', file: weights });
  expect(await failure(load(await store()))).toMatchObject({ code: 'network', message: /429/ });
});

test('a server without ranges: the whole file over one connection', async () => {
  await publish();
  hub.fault({ kind: 'whole' });
  const into = await store();
  await load(into);
  await expectWhole(into);
});

test('without ranges, a cut keeps what was stored and starts the stream again', async () => {
  await publish();
  hub.fault({ kind: 'whole' }, { kind: 'cut', bytes: 3000, times: 5 });
  const into = await store();
  await load(into);
  await expectWhole(into);
});

test('a load that was cut off goes on where it stopped: at most a chunk per connection comes twice', async () => {
  await publish();
  const use = newDatabase();
  const controller = new AbortController();
  const locks = fakeLocks();
  const first = await store({ useStore: use, locks });
  hub.fault({ kind: 'slow', bytesPerSecond: 20_000 });
  const stopped = load(first, {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done > 5500) controller.abort();
    },
  });
  expect(await failure(stopped)).toMatchObject({ code: 'aborted' });
  const [left] = await first.unfinished();
  expect(left).toMatchObject({ id: `hf:${repo}`, active: false });
  expect(left!.bytes).toBeGreaterThan(0);
  hub.fault();
  // A new tab: its start must not take the chunks for rubbish.
  const second = await store({ useStore: use, locks });
  await load(second);
  await expectWhole(second);
  expect(hub.sent.get(weights)! - (await size())).toBeLessThanOrEqual(4 * chunkBytes);
  expect(await second.unfinished()).toEqual([]);
});

test('a wrong byte on the way is found and only its chunk replaced', async () => {
  await publish();
  hub.fault({ kind: 'wrong', at: 5000, times: 1 });
  const into = await store();
  await load(into);
  await expectWhole(into);
  expect(hub.sent.get(weights)).toBe(2 * (await size()));
});

test('a server that always sends a wrong byte is refused, and the bytes go', async () => {
  await publish();
  hub.fault({ kind: 'wrong', at: 5000 });
  const use = newDatabase();
  const into = await store({ useStore: use });
  expect(await failure(load(into))).toMatchObject({ code: 'bad-download', message: /SHA-256/ });
  expect((await residue(use)).models).toBe(0);
  expect(await into.unfinished()).toEqual([]);
  expect(hub.sent.get(weights)).toBe(2 * (await size()));
});

test('weights that lie in git itself are compared with their git id', async () => {
  hub.put(repo, { folder: await bytesOf(tinyFolder()), plainGit: true });
  hub.fault({ kind: 'wrong', at: 5000, times: 1 });
  const into = await store();
  await load(into);
  await expectWhole(into);
  expect(hub.sent.get(weights)).toBe(2 * (await size()));
  hub.fault({ kind: 'wrong', at: 5000 });
  const other = await store();
  expect(await failure(load(other))).toMatchObject({ code: 'bad-download', message: /git id [0-9a-f]{40}, got/ });
  expect(await other.list()).toEqual([]);
});

test('a wrong byte in the header refuses the file once, not for ever', async () => {
  await publish();
  hub.fault({ kind: 'wrong', at: 9, times: 1 });
  const into = await store();
  expect(await failure(load(into))).toMatchObject({ code: expect.stringMatching(/^bad-(safetensors|weights)$/) });
  await load(into);
  await expectWhole(into);
});

test('a model that is refused before its weights leaves no unfinished download', async () => {
  await publish(tinyFolder({ ...tinyConfig, model_type: 'gpt2' }, []));
  const use = newDatabase();
  expect(await failure(load(await store({ useStore: use })))).toMatchObject({ code: 'unsupported-architecture' });
  expect(await residue(use)).toEqual({ chunks: 0, pending: 0, models: 0 });
});

test('a chunk that was spoilt on the disk is found, dropped and fetched again', async () => {
  await publish();
  const use = newDatabase();
  const into = await store({ useStore: use });
  hub.fault({ kind: 'slow', bytesPerSecond: 40_000 });
  const controller = new AbortController();
  const cut = load(into, {
    connections: 1,
    signal: controller.signal,
    onProgress: ({ done }) => done > 4000 && controller.abort(),
  });
  expect(await failure(cut)).toMatchObject({ code: 'aborted' });
  hub.fault();
  const key = (await into.unfinished())[0]!.load;
  await use('readwrite', (objects) => {
    objects.put(new Blob([new Uint8Array(chunkBytes)]), ['chunk', key, weights, 1]);
    return new Promise<void>((resolve, reject) => {
      objects.transaction.oncomplete = () => resolve();
      objects.transaction.onerror = () => reject(objects.transaction.error);
    });
  });
  hub.sent.clear();
  await load(into);
  await expectWhole(into);
  expect(hub.sent.get(weights)).toBeLessThan(await size());
});

test('a disk that fills up: told with numbers, what came stays and is used', async () => {
  await publish();
  const use = newDatabase();
  const room = { bytes: 4500 };
  const into = await store({ useStore: withQuota(use, room) });
  expect(await failure(load(into))).toMatchObject({ code: 'quota', remedy: /what has come already stays/ });
  const [left] = await into.unfinished();
  expect(left!.bytes).toBeGreaterThan(2 * chunkBytes);
  room.bytes = Number.POSITIVE_INFINITY;
  hub.sent.clear();
  await load(into);
  await expectWhole(into);
  expect(hub.sent.get(weights)).toBe((await size()) - left!.bytes);
});

test('a model that cannot fit is refused before its weights are asked for, with the numbers and what to forget', async () => {
  await publish();
  const room = { quota: 1e6, usage: 0 };
  const into = await store({ estimate: async () => room });
  await load(into);
  const { bytes, source } = (await into.find(`hf:${repo}`))!;
  room.quota = 3000;
  hub.sent.clear();
  hub.put('owner/other', { folder: await bytesOf(tinyFolder()) });
  const other = loadModel(await open({}, 'owner/other'), into, { retry });
  const error = await failure(other);
  expect(error).toMatchObject({
    code: 'quota',
    message: expect.stringContaining(`needed ${(bytes / 1024).toFixed(1)} KiB`),
  });
  expect(error).toMatchObject({
    message: /available .* 2\.9 KiB/,
    remedy: expect.stringContaining(`Forget ${source}`),
  });
  expect(hub.sentBytes).toBe(0);
});

test('two tabs at once: one downloads, the other waits and finds the model', async () => {
  await publish();
  const use = newDatabase();
  const locks = fakeLocks();
  const [one, two] = [await store({ useStore: use, locks }), await store({ useStore: use, locks })];
  const [first, second] = await Promise.all([load(one), load(two)]);
  expect([first.downloadedBytes, second.downloadedBytes].sort()).toEqual([0, first.stored.bytes].sort());
  expect(hub.sent.get(weights)).toBe(await size());
  await expectWhole(two);
  expect(await two.unfinished()).toEqual([]);
});

test('a tab that waits says so, and can be cancelled while the other goes on', async () => {
  await publish();
  hub.fault({ kind: 'slow', bytesPerSecond: 20_000 });
  const use = newDatabase();
  const locks = fakeLocks();
  const [one, two] = [await store({ useStore: use, locks }), await store({ useStore: use, locks })];
  const controller = new AbortController();
  const stages: string[] = [];
  let waiting: Promise<unknown> | null = null;
  await load(one, {
    onProgress: ({ done }) => {
      if (done < 3000 || waiting) return;
      const onProgress = ({ stage }: { stage: string }): void => {
        stages.push(stage);
        controller.abort();
      };
      waiting = failure(load(two, { signal: controller.signal, onProgress }));
    },
  });
  expect(await waiting).toMatchObject({ code: 'aborted' });
  expect(stages).toEqual(['waiting for another tab']);
  await expectWhole(two);
});

test('a server whose ranges other pages may not ask for: the whole file, and after a break only what is missing', async () => {
  await publish();
  hub.fault({ kind: 'unranged' }, { kind: 'cut', bytes: 3000, times: 1 });
  const into = await store();
  await load(into);
  await expectWhole(into);
  // Three requests without a range: is one answered at all, the file until it was cut, and the file.
  expect(hub.requests.filter((request) => request === `cdn ${repo} ${weights}`).length).toBeGreaterThan(3);
});

test('a line that is down is not taken for a server without ranges', async () => {
  await publish();
  let down = false;
  const fetcher: typeof fetch = (input, init) =>
    down && String(input).endsWith(weights) ? Promise.reject(new TypeError('Failed to fetch')) : fetch(input, init);
  const cut = (): void => {
    down = true;
  };
  const into = await store();
  await load(into, { inspect: cut }, { fetch: fetcher }).then(
    () => expect.unreachable(),
    (thrown: unknown) => expect(thrown).toMatchObject({ code: 'network', message: /Failed to fetch/ }),
  );
  down = false;
  await load(into);
  expect(hub.sent.get(weights)).toBe(await size());
});

test('a wrong byte in a small file is found by its digest and the file fetched again; always wrong, it is refused', async () => {
  await publish();
  const into = await store();
  hub.fault({ kind: 'wrong', at: 30, file: 'config.json', times: 1 });
  await load(into);
  await expectWhole(into);
  hub.fault({ kind: 'wrong', at: 30, file: 'config.json' });
  expect(await failure(load(await store()))).toMatchObject({ code: 'bad-download', message: /config\.json.*digest/ });
});

test('a repository with tokenizer.model alone: checked by its digest, and made into tokenizer.json', async () => {
  const folder = tinyFolder();
  folder.set('tokenizer.model', new Blob([readFileSync('tools/sentencepiece/fixtures/keep.model')]));
  folder.set('tokenizer_config.json', new Blob(['{"add_bos_token": false}']));
  await publish(folder);
  const into = await store();
  const { checkpoint, stored } = await load(into);
  expect(stored.summary.tokenizer).toBe(true);
  expect(await checkpoint.json('tokenizer.json')).toMatchObject({ model: { type: 'BPE', byte_fallback: true } });
  expect(await checkpoint.json('tokenizer_config.json')).toEqual({ add_bos_token: false });
  hub.fault({ kind: 'wrong', at: 100, file: 'tokenizer.model' });
  expect(await failure(load(await store()))).toMatchObject({ code: 'bad-download', message: /tokenizer\.model/ });
});

test('a wait that the server asks for is shown, and what was stored is found in a stage of its own', async () => {
  await publish();
  hub.fault({ kind: 'status', status: 429, retryAfter: '2', times: 1 });
  const controller = new AbortController();
  const into = await store();
  const stages: string[] = [];
  const policy = { ...retry, longestAsked: 2500 };
  const seen = { onProgress: ({ stage }: { stage: string }) => void stages.push(stage) };
  await load(into, { retry: policy, signal: controller.signal, ...seen });
  expect(stages).toContain('the server is busy: trying again in 2 s');
  hub.fault({ kind: 'slow', bytesPerSecond: 20_000 });
  const other = await store();
  const stop = ({ done }: { done: number }) => done > 4000 && controller.abort();
  const cut = load(other, { connections: 1, signal: controller.signal, onProgress: stop });
  expect(await failure(cut)).toMatchObject({ code: 'aborted' });
  hub.fault();
  stages.length = 0;
  await load(other, seen);
  expect(stages.indexOf('looking for stored files')).toBeLessThan(stages.lastIndexOf('download'));
  expect(stages).toContain('looking for stored files');
});

test('an unfinished download is discarded with all its bytes', async () => {
  await publish();
  const use = newDatabase();
  const into = await store({ useStore: withQuota(use, { bytes: 3000 }) });
  await failure(load(into));
  const [left] = await into.unfinished();
  await into.discardUnfinished(left!.load);
  expect(await residue(use)).toEqual({ chunks: 0, pending: 0, models: 0 });
});

test('a gated model: refused without a token and with a wrong one, opened with the right one, which stays on the Hub', async () => {
  const token = 'hf_secretsecret';
  await publish(tinyFolder(), token);
  const into = await store();
  const without = await failure(load(into));
  const wrong = await failure(load(into, {}, { token: 'hf_wrongwrong' }));
  expect(without).toMatchObject({ code: 'gated', message: /requires a token \(401\)/ });
  expect(wrong).toMatchObject({ code: 'gated', message: /refuses this token \(403\)/ });
  expect(JSON.stringify(wrong) + String(wrong)).not.toContain('hf_wrong');
  await load(into, {}, { token });
  await expectWhole(into);
  expect(hub.leaked).toEqual([]);
  expect(hub.urls.join()).not.toContain(token);
  expect(JSON.stringify(await into.list())).not.toContain(token);
});

test.each([
  ['a name that nobody has', 'owner/other', 'gated', /does not exist/],
  ['a revision that is not there', `${repo}@v9`, 'missing-file', /no revision 'v9'/],
])('%s is told', async (_, source, code, says) => {
  await publish();
  const error = await failure(open({}, source));
  expect(error).toMatchObject({ code });
  expect(String(error)).toMatch(says);
});

test('weights that do not fit the configuration end the download early', async () => {
  const big = { ...tinyConfig, intermediate_size: 32 };
  await publish(tinyFolder(big, tinyTensors()));
  expect(await failure(load(await store({ chunkBytes: 4096 }), { connections: 1 }))).toMatchObject({
    code: 'bad-weights',
  });
});
