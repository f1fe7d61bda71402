import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filesOf, scaledNorm, serve, tinyConfig, tinyFolder, tinyShardedFolder } from '../testing/tinyModel';
import { openSource } from './openSource';

const baseUrl = 'https://page.test/app/';
const noRequests: typeof fetch = () => Promise.reject(new Error('a request was made'));
const offline = { baseUrl, fetch: noRequests };

test.each([
  [''],
  ['demos'],
  ['a/b/c'],
  ['ftp://host/folder/'],
  ['file:///model/'],
  ['https://'],
  ['https://user:secret@host.test/model/'],
  ['https://host.test/model/?x=1'],
  ['javascript:alert(1)'],
])('%j is no source', async (source) => {
  await expect(openSource(source, offline)).rejects.toMatchObject({ code: 'bad-source' });
});

test.each([
  ['https://host.test/model', 'https://host.test/model/'],
  [' HTTPS://HOST.test/model/#top ', 'https://host.test/model/'],
  ['http://host.test:8080/model/config.json', 'http://host.test:8080/model/'],
])('%s is the folder %s', async (source, url) => {
  expect(await openSource(source, offline)).toMatchObject({ id: `folder:${url}`, label: url, remote: true });
});

test('the demo lies beside the page and carries its version', async () => {
  const { fetch, requests } = serve(tinyFolder(), 'https://page.test/app/demo/');
  const demo = await openSource('demo', { baseUrl: 'https://page.test/app/index.html', fetch, demoVersion: '7' });
  expect(demo).toMatchObject({ id: 'demo', revision: '7' });
  const names = (await demo.list()).map((file) => file.name);
  expect(names).toEqual(expect.arrayContaining(['card.json', 'calibration.txt', 'evaluation.txt']));
  expect(requests).toContain('HEAD model.safetensors');
});

test('a folder lists its files with the sizes that the server tells, weights last', async () => {
  const folder = tinyShardedFolder(2);
  const { fetch } = serve(folder, 'https://host.test/m/');
  const repository = await openSource('https://host.test/m', { baseUrl, fetch });
  const files = await repository.list();
  expect(files[0]).toMatchObject({ name: 'config.json', optional: false });
  expect(files.slice(-3).map((file) => file.name)).toEqual([
    'model.safetensors.index.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ]);
  expect(files.at(-1)?.size).toBe(folder.get('model-00002-of-00002.safetensors')!.size);
  const { size, stream } = await repository.open('config.json');
  expect(size).toBe(folder.get('config.json')!.size);
  expect(await new Response(stream).json()).toEqual(tinyConfig);
});

test('a server without HEAD, or without Content-Length, still lists', async () => {
  const { fetch } = serve(tinyFolder(), 'https://host.test/m/', (name, method) => {
    if (name !== 'model.safetensors') return undefined;
    return method === 'HEAD' ? new Response(null, { status: 405 }) : new Response('x');
  });
  const repository = await openSource('https://host.test/m/', { baseUrl, fetch });
  expect((await repository.list()).at(-1)).toEqual({ name: 'model.safetensors', size: null, optional: false });
});

const page = () => new Response('<!doctype html><title>app</title>', { headers: { 'content-type': 'text/html' } });

test.each([
  ['no config.json', 'config.json', () => new Response('', { status: 404 }), 'missing-file', 'holds no config.json'],
  ['a page for config.json', 'config.json', page, 'missing-file', 'got a web page'],
  ['a locked folder', 'config.json', () => new Response('', { status: 403 }), 'network', 'responded with status 403'],
  [
    'a broken server',
    'config.json',
    () => new Response('', { status: 500, statusText: 'Oops' }),
    'network',
    '500 Oops',
  ],
  ['no weights', 'model.safetensors', () => new Response(null, { status: 404 }), 'missing-file', 'contains neither'],
  ['weights that are a page', 'model.safetensors', page, 'missing-file', 'contains neither'],
  [
    'weights not to be listed',
    'model.safetensors',
    () => new Response(null, { status: 403 }),
    'missing-file',
    'neither',
  ],
])('a folder with %s is refused', async (_, file, response, code, named) => {
  const { fetch } = serve(tinyFolder(), 'https://host.test/m/', (name) => (name === file ? response() : undefined));
  const repository = await openSource('https://host.test/m/', { baseUrl, fetch });
  const error = await repository.list().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(String(error)).toContain(named);
});

test('a folder with a broken index is refused, unless model.safetensors makes it needless', async () => {
  const folder = tinyFolder().set('model.safetensors.index.json', new Blob(['{']));
  const remote = await openSource('https://host.test/m/', { baseUrl, ...serve(folder, 'https://host.test/m/') });
  const local = await openSource(filesOf(folder), offline);
  for (const repository of [remote, local]) {
    expect((await repository.list()).at(-1)!.name).toBe('model.safetensors');
  }
  expect(local.weights!()!.notes).toEqual([expect.stringContaining('ignored, as in transformers')]);
  folder.delete('model.safetensors');
  for (const source of [remote, await openSource(filesOf(folder), offline)]) {
    await expect(source.list()).rejects.toMatchObject({
      code: 'bad-weights',
      message: expect.stringContaining('JSON'),
    });
  }
});

test('where all shards that the index names are absent, the first is named', async () => {
  const folder = tinyShardedFolder(2);
  for (const name of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']) folder.delete(name);
  const remote = await openSource('https://host.test/m/', { baseUrl, ...serve(folder, 'https://host.test/m/') });
  for (const repository of [remote, await openSource(filesOf(folder), offline)]) {
    await expect(repository.list()).rejects.toMatchObject({
      code: 'missing-file',
      message: expect.stringContaining('model-00001-of-00002.safetensors'),
    });
  }
});

test('shards in a folder below, as their index says, from a server and from disk', async () => {
  const folder = tinyShardedFolder(2);
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const text = await folder.get('model.safetensors.index.json')!.text();
  folder.set('model.safetensors.index.json', new Blob([text.replaceAll('"model-', '"weights/model-')]));
  for (const name of names) {
    folder.set(`weights/${name}`, folder.get(name)!);
    folder.delete(name);
  }
  const remote = await openSource('https://host.test/m/', { baseUrl, ...serve(folder, 'https://host.test/m/') });
  const local = await openSource(
    Array.from(folder, ([name, blob]) => inFolder(`m/${name}`, blob)),
    offline,
  );
  for (const repository of [remote, local]) {
    const files = await repository.list();
    expect(files.slice(-2).map(({ name }) => name)).toEqual(names.map((name) => `weights/${name}`));
    const opened = await repository.open(`weights/${names[1]}`);
    expect(opened.size).toBe(folder.get(`weights/${names[1]}`)!.size);
  }
});

test('config.json may name the file of the weights, before any other', async () => {
  const folder = tinyFolder({ ...tinyConfig, transformers_weights: 'mine.safetensors' });
  folder.set('mine.safetensors', folder.get('model.safetensors')!);
  const remote = await openSource('https://host.test/m/', { baseUrl, ...serve(folder, 'https://host.test/m/') });
  for (const repository of [remote, await openSource(filesOf(folder), offline)]) {
    expect((await repository.list()).at(-1)!.name).toBe('mine.safetensors');
  }
  folder.delete('mine.safetensors');
  await expect((await openSource(filesOf(folder), offline)).list()).rejects.toMatchObject({ code: 'missing-file' });
});

test('numbered shards without an index are taken where the set is whole', async () => {
  const folder = tinyShardedFolder(3);
  folder.delete('model.safetensors.index.json');
  folder.set('adapter_model.safetensors', new Blob(['x']));
  const repository = await openSource(filesOf(folder), offline);
  expect((await repository.list()).slice(-3).map(({ name }) => name)).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
  ]);
  folder.delete('model-00002-of-00003.safetensors');
  await expect((await openSource(filesOf(folder), offline)).list()).rejects.toThrow('2 safetensors files (model-00001');
});

test('a request that fails names the file', async () => {
  const repository = await openSource('https://host.test/m/', {
    baseUrl,
    fetch: () => Promise.reject(new TypeError('Failed to fetch')),
  });
  const error = await repository.list().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'network' });
  expect(String(error)).toContain('config.json of https://host.test/m/: the request failed (Failed to fetch)');
});

/** A file as the folder picker gives it. */
function inFolder(path: string, content: BlobPart, lastModified = 1): File {
  const file = new File([content], path.split('/').at(-1)!, { lastModified });
  Object.defineProperty(file, 'webkitRelativePath', { value: path });
  return file;
}

test('chosen files: the config.json nearest to the root says which folder is the model', async () => {
  const folder = tinyFolder();
  const files = [
    inFolder('m/original/config.json', '{}'),
    inFolder('m/original/other.safetensors', ''),
    ...Array.from(folder, ([name, blob]) => inFolder(`m/${name}`, blob)),
    inFolder('m/README.md', 'hello'),
    inFolder('m/tokenizer.json', '{}'),
  ];
  const repository = await openSource(files, offline);
  expect(repository).toMatchObject({ label: 'm', remote: false });
  expect((await repository.list()).map((file) => file.name)).toEqual([
    'config.json',
    'tokenizer.json',
    'model.safetensors',
  ]);
  await expect(repository.open('original/config.json')).rejects.toMatchObject({ code: 'missing-file' });
});

test('chosen files: the bytes decide which model they are, not names, sizes and times', async () => {
  const files = (time: number, scale = 1) =>
    Array.from(tinyFolder(tinyConfig, scaledNorm(scale)), ([name, blob]) => inFolder(`m/${name}`, blob, time));
  const first = await openSource(files(1), offline);
  const same = await openSource(files(2).reverse(), offline);
  const other = await openSource(files(1, 0.5), offline);
  expect(same).toMatchObject({ id: first.id, revision: first.revision });
  expect(other.id).not.toBe(first.id);
});

test('chosen files: weights of any single name will do', async () => {
  const folder = tinyFolder();
  folder.set('mine.safetensors', folder.get('model.safetensors')!);
  folder.delete('model.safetensors');
  const repository = await openSource(filesOf(folder), offline);
  expect((await repository.list()).map((file) => file.name)).toEqual(['config.json', 'mine.safetensors']);
});

const config = JSON.stringify(tinyConfig);

test.each<[string, File[], string, string]>([
  ['no files', [], 'bad-source', 'no files'],
  ['no config.json', [inFolder('m/model.safetensors', '')], 'missing-file', 'no config.json'],
  ['two models', [inFolder('d/a/config.json', '{}'), inFolder('d/b/config.json', '{}')], 'bad-source', '2 models'],
  [
    'one name twice',
    [new File([config], 'config.json'), new File([config], 'config.json')],
    'bad-source',
    'chosen twice',
  ],
  ['no weights', [inFolder('m/config.json', config), inFolder('m/model.gguf', '')], 'missing-file', 'contains neither'],
  [
    'an adapter',
    [inFolder('m/config.json', config), inFolder('m/adapter_model.safetensors', '')],
    'missing-file',
    'a LoRA adapter',
  ],
  [
    'pickled weights',
    [inFolder('m/config.json', config), inFolder('m/pytorch_model.bin', '')],
    'missing-file',
    'but pytorch_model.bin',
  ],
  [
    'shards without an index',
    [inFolder('m/config.json', config), inFolder('m/a.safetensors', ''), inFolder('m/b.safetensors', '')],
    'missing-file',
    '2 safetensors files',
  ],
])('chosen files: %s are refused', async (_, files, code, named) => {
  const list = async () => (await openSource(files, offline)).list();
  const error = await list().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(`${error}`).toContain(named);
});

test('a folder with tokenizer.model alone: it stands in for tokenizer.json, with the configuration that LLaMA has', async () => {
  const folder = tinyFolder();
  folder.set('tokenizer.model', new Blob([readFileSync('tools/sentencepiece/fixtures/keep.model')]));
  const { fetch, requests } = serve(folder, 'https://host.test/m/');
  const repository = await openSource('https://host.test/m/', { baseUrl, fetch });
  const json = async (name: string): Promise<unknown> => new Response((await repository.open(name)).stream).json();
  expect(await json('tokenizer.json')).toMatchObject({ model: { type: 'BPE' } });
  expect(await json('tokenizer_config.json')).toMatchObject({ bos_token: '<s>', add_bos_token: true });
  folder.set('tokenizer.json', new Blob(['{"own": 1}']));
  requests.length = 0;
  expect(await json('tokenizer.json')).toEqual({ own: 1 });
  expect(requests).toEqual(['GET tokenizer.json']);
});
