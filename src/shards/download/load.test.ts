import { expect, test, vi } from 'vitest';
import { LabError } from '../../errors';
import type { RetryPolicy } from '../../io/retry';
import type { Progress } from '../../task';
import { parseHeader, safetensorsParts, type TensorToWrite } from '../formats/safetensors';
import { openSource } from '../sources/openSource';
import type { Repository } from '../sources/repository';
import { fakeLocks } from '../testing/locks';
import { newDatabase, newStore, residue, withQuota } from '../testing/memory';
import {
  type Folder,
  filesOf,
  serve,
  tinyConfig,
  tinyFolder,
  tinyShardedFolder,
  tinyTensors,
} from '../testing/tinyModel';
import { type LoadModelOptions, loadModel, openStored } from './load';

const url = 'https://host.test/m/';
const page = { baseUrl: 'https://page.test/' };

const retry: RetryPolicy = { attempts: 3, firstWait: 1, longestWait: 2, longestAsked: 50, silence: 2000 };

const fromServer = (folder: Folder, answer?: Parameters<typeof serve>[2]): Promise<Repository> =>
  openSource(url, { ...page, retry, fetch: serve(folder, url, answer).fetch });

const fromDisk = (folder: Folder): Promise<Repository> => openSource(filesOf(folder), page);

/** What a load that must fail leaves: its error, and the database. */
async function failingLoad(
  repository: Repository,
  options: LoadModelOptions = {},
  budget?: { bytes: number },
): Promise<{ error: unknown; left: Awaited<ReturnType<typeof residue>> }> {
  const use = newDatabase();
  const store = await newStore({ useStore: budget ? withQuota(use, budget) : use });
  const error = await loadModel(repository, store, options).catch((thrown: unknown) => thrown);
  return { error, left: await residue(use) };
}

const nothing = { chunks: 0, pending: 0, models: 0 };

test('a model from a server: weights by role, summary, bytes counted, progress to the end', async () => {
  const folder = tinyShardedFolder(3);
  folder.set('tokenizer.json', new Blob(['{"model":{}}']));
  folder.set('tokenizer_config.json', new Blob(['{}']));
  const total = [...folder.values()].reduce((sum, blob) => sum + blob.size, 0);
  const progress: Progress[] = [];
  const store = await newStore();
  const { stored, checkpoint, downloadedBytes } = await loadModel(await fromServer(folder), store, {
    onProgress: (each) => progress.push(each),
  });
  expect(downloadedBytes).toBe(total);
  expect(stored).toMatchObject({ id: `folder:${url}`, source: url, bytes: total });
  expect(stored.summary).toMatchObject({ architecture: 'LlamaForCausalLM', dtype: 'F32', tokenizer: true });
  expect(stored.summary.shape.layers).toHaveLength(2);
  expect(progress.at(-1)).toEqual({ stage: 'download', done: total, total, unit: 'bytes' });
  expect(progress.every(({ done, total: all }) => done <= all)).toBe(true);
  expect(checkpoint.config.eosTokenIds).toEqual([2, 3]);
  expect(await checkpoint.json('tokenizer.json')).toEqual({ model: {} });
  expect(await checkpoint.text('card.json')).toBeNull();
  for (const { name, dims, data } of tinyTensors()) {
    if (!name.includes('layers.1.mlp.down_proj')) continue;
    const tensor = checkpoint.layerTensor('downProj', 1);
    expect(tensor).toMatchObject({ name, dims, dtype: 'F32' });
    expect(await checkpoint.read(tensor)).toEqual(data);
    const file = await checkpoint.file(tensor.file);
    expect(new Uint8Array(await file.slice(tensor.begin, tensor.end).arrayBuffer())).toEqual(data);
  }
});

test('the second load makes no request', async () => {
  const use = newDatabase();
  await loadModel(await fromServer(tinyFolder()), await newStore({ useStore: use }));
  const offline = await openSource(url, { ...page, fetch: () => Promise.reject(new Error('a request was made')) });
  const store = await newStore({ useStore: use });
  const { checkpoint, downloadedBytes } = await loadModel(offline, store);
  expect(downloadedBytes).toBe(0);
  expect(checkpoint.modelTensor('lmHead').dims).toEqual([40, 16]);
  expect((await openStored(store, `folder:${url}`)).stored.bytes).toBeGreaterThan(0);
});

test('a newer demo replaces the stored one, the same version is opened from the store', async () => {
  const demoUrl = 'https://page.test/demo/';
  const store = await newStore();
  const load = async (demoVersion: string, folder: Folder) => {
    const server = serve(folder, demoUrl);
    const demo = await openSource('demo', { ...page, fetch: server.fetch, demoVersion });
    return { ...(await loadModel(demo, store)), requests: server.requests.length };
  };
  const folder = tinyFolder();
  folder.set('card.json', new Blob(['{"title":"A small storyteller","floorPerplexity":3.5,"more":1}']));
  folder.set('calibration.txt', new Blob(['One story.']));
  const first = await load('1', folder);
  expect(first.stored.summary.card).toEqual({ title: 'A small storyteller', floorPerplexity: 3.5 });
  expect(await first.checkpoint.text('calibration.txt')).toBe('One story.');
  expect((await load('1', folder)).requests).toBe(0);
  folder.set('card.json', new Blob(['{"title":7}']));
  const second = await load('2', folder);
  expect(second.requests).toBeGreaterThan(0);
  expect(second.stored).toMatchObject({ id: 'demo', revision: '2' });
  expect(second.stored.summary.card).toBeUndefined();
  expect(await store.list()).toHaveLength(1);
});

test('files from disk count as no download', async () => {
  const { stored, downloadedBytes } = await loadModel(await openSource(filesOf(tinyFolder()), page), await newStore());
  expect(downloadedBytes).toBe(0);
  expect(stored.summary.tokenizer).toBe(false);
});

test('a tokenizer that the server answers with a page is no tokenizer', async () => {
  const { stored } = await loadModel(
    await fromServer(tinyFolder(), (name) => (name.startsWith('tok') ? new Response('<!DOCTYPE html><p>') : undefined)),
    await newStore(),
  );
  expect(stored.summary.tokenizer).toBe(false);
});

/** Cuts the weights after `bytes`. */
const cut = (bytes: number): Folder => {
  const folder = tinyFolder();
  folder.set('model.safetensors', folder.get('model.safetensors')!.slice(0, bytes));
  return folder;
};

const other = { ...tinyConfig, intermediate_size: 32 };

test.each<[string, Folder, string, string]>([
  ['weights that are cut off', cut(5000), 'bad-safetensors', 'describes a file of'],
  ['weights that are cut off in the header', cut(500), 'bad-safetensors', 'but the whole file has 500'],
  ['weights of five bytes', cut(5), 'bad-safetensors', 'is cut off'],
  [
    'weights of another shape',
    tinyFolder(other, tinyTensors()),
    'bad-weights',
    'gateProj of layer 0: expected [32, 16]',
  ],
  ['a missing tensor', tinyFolder(tinyConfig, tinyTensors().slice(0, -1)), 'bad-weights', 'lacks downProj of layer 1'],
  ['an unknown family', tinyFolder({ ...tinyConfig, model_type: 'gpt2' }, []), 'unsupported-architecture', 'gpt2'],
  ['a broken config.json', new Map(tinyFolder()).set('config.json', new Blob(['{'])), 'bad-config', 'expected JSON'],
])('%s: refused, nothing left', async (_, folder, code, named) => {
  for (const repository of [await fromServer(folder), await openSource(filesOf(folder), page)]) {
    const { error, left } = await failingLoad(repository);
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(named);
    expect(left).toEqual(nothing);
  }
});

const shardName = (i: number): string => `model-0000${i}-of-00002.safetensors`;

/** Two shards, with an index that was changed. */
function withIndex(change: (map: Record<string, string>) => void): Folder {
  const all = tinyTensors();
  const map = Object.fromEntries(all.map(({ name }, i) => [name, shardName(i < all.length / 2 ? 1 : 2)]));
  change(map);
  return tinyShardedFolder(2).set('model.safetensors.index.json', new Blob([JSON.stringify({ weight_map: map })]));
}

test.each<[string, (map: Record<string, string>) => void, string[]]>([
  ['swaps two shards', (map) => (map['model.embed_tokens.weight'] = shardName(2)), []],
  ['lacks a tensor', (map) => delete map['model.embed_tokens.weight'], []],
  [
    'names a tensor that no shard holds',
    (map) => (map['model.layers.0.self_attn.rotary_emb.inv_freq'] = shardName(1)),
    ['model.safetensors.index.json lists model.layers.0.self_attn.rotary_emb.inv_freq, which no shard contains'],
  ],
  [
    'names a shard that is not there, of which nobody needs anything',
    (map) => (map['vision_tower.patch.weight'] = 'vision.safetensors'),
    ['vision.safetensors, which model.safetensors.index.json lists, is missing', 'lists vision_tower.patch.weight'],
  ],
])("an index that %s: the shards' own headers decide", async (_, change, notes) => {
  for (const open of [fromServer, fromDisk]) {
    const { stored, checkpoint } = await loadModel(await open(withIndex(change)), await newStore());
    expect(checkpoint.modelTensor('embed').file).toBe(shardName(1));
    expect(stored.summary.notes).toEqual(notes.map((note) => expect.stringContaining(note)));
  }
});

test('an index that names a shard that is not there, of which the model needs a tensor, is refused before any weight', async () => {
  const folder = withIndex((map) => (map['model.norm.weight'] = 'gone.safetensors'));
  const { error, left } = await failingLoad(await fromServer(folder));
  expect(error).toMatchObject({ code: 'missing-file', message: expect.stringContaining('gone.safetensors') });
  expect(left).toEqual(nothing);
});

/** A stream of `pieces`, which counts how many were taken, then whatever `last` does. */
function counted(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  last: (controller: ReadableStreamDefaultController) => void,
) {
  const state = { taken: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const piece = pieces[state.taken];
        if (piece) {
          state.taken += 1;
          controller.enqueue(piece);
        } else last(controller);
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

async function piecesOf(blob: Blob, size: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

/** Serves the tiny model, with the weights as a stream without Content-Length. */
const streaming = (folder: Folder, stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Repository> =>
  fromServer(folder, (name, method) =>
    name === 'model.safetensors' ? new Response(method === 'HEAD' ? null : stream) : undefined,
  );

test('a wrong header ends the download when it is there, not after the weights', async () => {
  const folder = tinyFolder(other, tinyTensors());
  const { state, stream } = counted(await piecesOf(folder.get('model.safetensors')!, 100), (c) => c.close());
  const { error } = await failingLoad(await streaming(folder, stream));
  expect(error).toMatchObject({ code: 'bad-weights' });
  expect(state.cancelled).toBe(true);
  const header = 8 + Math.ceil(new Blob(safetensorsParts(tinyTensors()).slice(0, 1)).size);
  expect(state.taken).toBeLessThanOrEqual(Math.ceil(header / 100) + 1);
});

test('a header in pieces of one byte is read', async () => {
  const folder = tinyFolder();
  const { stream } = counted(await piecesOf(folder.get('model.safetensors')!, 1), (c) => c.close());
  const { checkpoint } = await loadModel(await streaming(folder, stream), await newStore({ chunkBytes: 4096 }));
  const embed = tinyTensors().find((tensor) => tensor.name === 'model.embed_tokens.weight');
  expect(await checkpoint.read(checkpoint.modelTensor('embed'))).toEqual(embed!.data);
});

test('no more than one chunk and one piece are in memory', async () => {
  const folder = tinyFolder();
  const weights = folder.get('model.safetensors')!;
  const { state, stream } = counted(await piecesOf(weights, 100), (c) => c.close());
  const use = newDatabase();
  let stored = 0;
  let most = 0;
  const store = await newStore({
    useStore: (mode, body) =>
      use(mode, (objects) => {
        const put = objects.put.bind(objects);
        objects.put = (value: unknown, key?: IDBValidKey) => {
          if (value instanceof Blob && (key as string[])[2] === 'model.safetensors') {
            most = Math.max(most, state.taken * 100 - stored);
            stored += value.size;
          }
          return put(value, key);
        };
        return body(objects);
      }),
  });
  await loadModel(await streaming(folder, stream), store);
  expect(stored).toBe(weights.size);
  expect(most).toBeGreaterThanOrEqual(256);
  // One piece is on its way behind the one that is being stored.
  expect(most).toBeLessThanOrEqual(256 + 200);
});

test.each<[string, (pieces: Uint8Array<ArrayBuffer>[]) => Uint8Array<ArrayBuffer>[], string]>([
  ['ends early', (pieces) => pieces.slice(0, -1), 'is cut off'],
  ['ends within the header', (pieces) => pieces.slice(0, 2), 'is cut off'],
  ['gives nothing', () => [], 'is cut off'],
  ['goes on too long', (pieces) => [...pieces, new Uint8Array(1)], 'is too long'],
])('a stream without a length that %s is refused', async (_, change, named) => {
  const folder = tinyFolder();
  const pieces = change(await piecesOf(folder.get('model.safetensors')!, 500));
  const { error, left } = await failingLoad(await streaming(folder, counted(pieces, (c) => c.close()).stream));
  expect(error).toMatchObject({ code: 'bad-safetensors' });
  expect(String(error)).toContain(`model.safetensors of ${url} ${named}`);
  expect(left).toEqual(nothing);
});

test('a connection that breaks names the file', async () => {
  const folder = tinyFolder();
  const pieces = (await piecesOf(folder.get('model.safetensors')!, 500)).slice(0, 4);
  const { stream } = counted(pieces, (controller) => controller.error(new TypeError('network error')));
  const { error, left } = await failingLoad(await streaming(folder, stream));
  expect(error).toMatchObject({ code: 'network', message: expect.stringContaining('model.safetensors') });
  expect(left).toEqual(nothing);
});

test('a cancelled load stops, even on a server that stalls, and leaves nothing', async () => {
  const folder = tinyFolder();
  const pieces = (await piecesOf(folder.get('model.safetensors')!, 500)).slice(0, 4);
  const controller = new AbortController();
  const { state, stream } = counted(pieces, () => new Promise<void>(() => undefined));
  const stalled: Progress[] = [];
  const load = failingLoad(await streaming(folder, stream), {
    signal: controller.signal,
    onProgress: (progress) => {
      stalled.push(progress);
      if (state.taken === 4) setTimeout(() => controller.abort(), 20);
    },
  });
  const { error, left } = await load;
  expect(stalled.length).toBeGreaterThan(0);
  expect(error).toMatchObject({ code: 'aborted' });
  expect(state.cancelled).toBe(true);
  expect(left).toEqual(nothing);
});

test('a load cancelled before it begins makes no request', async () => {
  const server = serve(tinyFolder(), url);
  const repository = await openSource(url, { ...page, fetch: server.fetch });
  const { error } = await failingLoad(repository, { signal: AbortSignal.abort() });
  expect(error).toMatchObject({ code: 'aborted' });
  expect(server.requests).toEqual([]);
});

test('the caller may refuse a model before its weights are fetched', async () => {
  const folder = tinyFolder().set('tokenizer.json', new Blob(['{"a":1}']));
  const server = serve(folder, url);
  const refusal = new LabError('bad-tokenizer', 'no', 'none');
  const { error, left } = await failingLoad(await openSource(url, { ...page, fetch: server.fetch }), {
    inspect: ({ config, text }) => {
      expect(config.shape.vocab).toBe(40);
      expect(text('tokenizer.json')).toBe('{"a":1}');
      expect(text('card.json')).toBeNull();
      throw refusal;
    },
  });
  expect(error).toBe(refusal);
  expect(server.requests).not.toContain('GET model.safetensors');
  expect(left).toEqual(nothing);
});

test('a disk that fills up: the arithmetic is told, what was stored before stays', async () => {
  const use = newDatabase();
  const budget = { bytes: Number.POSITIVE_INFINITY };
  const estimate = async () => ({ quota: 1e9, usage: 1e9 - 5e6 });
  const locks = fakeLocks();
  const store = await newStore({ useStore: withQuota(use, budget), estimate, locks });
  const kept = await loadModel(await openSource(filesOf(tinyFolder()), page), store);
  const before = await residue(use);
  budget.bytes = 3000;
  const error = await loadModel(await fromServer(tinyShardedFolder(2)), store).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'quota' });
  expect(String(error)).toMatch(/needed .* bytes\); available by the browser's estimate: 4\.8 MiB \(5000000 bytes\)/);
  expect(await residue(use)).toEqual(before);
  expect((await locks.query()).held).toEqual([{ name: expect.stringContaining('reading') }]);
  const q = kept.checkpoint.layerTensor('qProj', 0);
  expect((await kept.checkpoint.read(q)).length).toBe(q.end - q.begin);
});

test('a model that cannot fit is refused before its files are fetched', async () => {
  const folder = tinyShardedFolder(2);
  const server = serve(folder, url);
  const use = newDatabase();
  const store = await newStore({ useStore: use, estimate: async () => ({ quota: 12000, usage: 11000 }) });
  const repository = await openSource(url, { ...page, fetch: server.fetch });
  const error = await loadModel(repository, store).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'quota' });
  expect(String(error)).toContain("available by the browser's estimate: 1000 bytes (1000 bytes)");
  expect(server.requests.filter((request) => request.startsWith('GET model-'))).toEqual([]);
  expect(await residue(use)).toEqual(nothing);
});

test('where the server tells no size, the header does, and the load ends there', async () => {
  const folder = tinyFolder();
  const { state, stream } = counted(await piecesOf(folder.get('model.safetensors')!, 1000), (c) => c.close());
  const store = await newStore({ estimate: async () => ({ quota: 5000, usage: 0 }) });
  const error = await loadModel(await streaming(folder, stream), store).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'quota' });
  expect(state.taken).toBeLessThan(5);
});

test('a header with very many tensors is parsed once: what the model needs of it is kept; too many are refused', async () => {
  const many = (count: number): TensorToWrite[] => {
    const none = { dtype: 'F32', dims: [0], data: new Uint8Array(0) };
    return [...tinyTensors(), ...Array.from({ length: count }, (_, i) => ({ ...none, name: `unused.${i}` }))];
  };
  const store = await newStore({ chunkBytes: 2 ** 20 });
  const files = filesOf(tinyFolder(tinyConfig, many(20_001)));
  const { stored, release } = await loadModel(await openSource(files, page), store);
  await release();
  expect(stored.tensors).toHaveLength(tinyTensors().length);
  const read = vi.spyOn(store, 'read');
  const { checkpoint, release: close } = await openStored(store, stored.id);
  const asked = read.mock.calls.filter(([, name]) => name === 'model.safetensors');
  expect(asked).toEqual([]);
  const embed = tinyTensors().find(({ name }) => name === 'model.embed_tokens.weight')!;
  expect(await checkpoint.read(checkpoint.modelTensor('embed'))).toEqual(embed.data);
  await close();
  const header = new TextEncoder().encode(`{${Array.from({ length: 200_001 }, (_, i) => `"${i}":0`).join(',')}}`);
  expect(() => parseHeader(header, null, 'a.safetensors')).toThrow('names 200001 tensors, at most 200000');
});

test('large files that agree in all samples are still compared byte by byte', async () => {
  const large = new Uint8Array(2 ** 25 + 2 ** 20);
  const files = async (byte: number): Promise<File[]> => {
    const data = large.slice();
    data[2 ** 24 + 12_345] = byte;
    return filesOf(
      tinyFolder(tinyConfig, [...tinyTensors(), { name: 'unused', dtype: 'U8', dims: [data.length], data }]),
    );
  };
  const store = await newStore({ chunkBytes: 2 ** 24 });
  const load = async (byte: number) => {
    const stages = new Set<string>();
    const repository = await openSource(await files(byte), page);
    const loaded = await loadModel(repository, store, { onProgress: ({ stage }) => stages.add(stage) });
    await loaded.release();
    return { stages, ...loaded };
  };
  const first = await load(0);
  expect((await load(0)).stages).toEqual(new Set(['comparing with the stored copy']));
  const other = await load(1);
  expect(other.stored.id).toBe(first.stored.id);
  expect(other.stored.load).not.toBe(first.stored.load);
  const last = other.stored.files.find(({ name }) => name === 'model.safetensors')!;
  const whole = await store.read(other.stored, last.name, 0, last.size);
  expect(whole.slice(-large.length).indexOf(1)).toBe(2 ** 24 + 12_345);
});
