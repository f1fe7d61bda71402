import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeHub } from '../../../e2e/support/fakeHub';
import { loadModel } from '../download/load';
import { newStore } from '../testing/memory';
import { type Folder, tinyConfig, tinyFolder, tinyShardedFolder, tinyTensors } from '../testing/tinyModel';
import { openSource } from './openSource';
import { chooseWeights } from './weightFiles';

let hub: FakeHub;
beforeAll(async () => {
  hub = await FakeHub.start();
});
afterAll(() => hub.stop());
beforeEach(() => hub.reset());

/** Loads a model from a stand-in Hub. */
async function fromHub(folder: Folder) {
  const entries = [...folder].map(async ([name, blob]) => [name, new Uint8Array(await blob.arrayBuffer())] as const);
  hub.put('owner/name', { folder: new Map(await Promise.all(entries)) });
  const source = await openSource('owner/name', { baseUrl: 'https://page.test/', hub: hub.url });
  return loadModel(source, await newStore({ chunkBytes: 1000 }));
}

const sharded = (folder: Folder): Folder => new Map([...tinyShardedFolder(2), ...folder]);

test('on the Hub model.safetensors counts before an index and its shards, which are not fetched', async () => {
  const { stored } = await fromHub(sharded(tinyFolder()));
  expect(stored.files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors']);
  expect(stored.summary.notes).toEqual([expect.stringContaining('ignored, as in transformers')]);
  expect([...hub.sent.keys()].filter((name) => name.includes('-of-'))).toEqual([]);
});

test('on the Hub a shard that nobody needs may be absent, and one that config.json names comes first', async () => {
  const folder = tinyShardedFolder(2);
  const index = JSON.parse(await folder.get('model.safetensors.index.json')!.text());
  index.weight_map['vision.weight'] = 'vision.safetensors';
  folder.set('model.safetensors.index.json', new Blob([JSON.stringify(index)]));
  const { stored } = await fromHub(folder);
  expect(stored.summary.notes?.join()).toContain('vision.safetensors');
  const named = tinyFolder({ ...tinyConfig, transformers_weights: 'sub/mine.safetensors' });
  named.set('sub/mine.safetensors', named.get('model.safetensors')!);
  named.delete('model.safetensors');
  const { checkpoint } = await fromHub(named);
  expect(checkpoint.modelTensor('embed').file).toBe('sub/mine.safetensors');
});

test('a tied head is compared with the embedding across the chunks of a download, once; the verdict is stored', async () => {
  const config = { ...tinyConfig, tie_word_embeddings: true };
  const [embed, ...others] = tinyTensors(config);
  const head = (change: (bytes: Uint8Array<ArrayBuffer>) => void) => {
    const data = Uint8Array.from(embed!.data as Uint8Array);
    change(data);
    return tinyFolder(config, [embed!, ...others, { ...embed!, name: 'lm_head.weight', data }]);
  };
  const same = await fromHub(head(() => undefined));
  expect(same.stored.summary).toMatchObject({ ownHead: false, notes: [], shape: { tiedHead: true } });
  expect(same.checkpoint.config.shape.tiedHead).toBe(true);
  // The very last bit of the last number.
  const other = await fromHub(head((bytes) => (bytes[bytes.length - 4]! ^= 1)));
  expect(other.stored.summary).toMatchObject({ ownHead: true, shape: { tiedHead: false } });
  expect(other.stored.summary.parameters).toBe(same.stored.summary.parameters + 40 * 16);
  expect(other.checkpoint.modelTensor('lmHead').name).toBe('lm_head.weight');
  expect(other.stored.summary.notes).toEqual([expect.stringContaining('the head has its own weights')]);
});

const none = { has: async () => false, text: async () => null };

test.each<[string, string[], string[]]>([
  ['one file of another name', ['weights.safetensors', 'README.md'], ['weights.safetensors']],
  ['a variant', ['model.fp16.safetensors'], ['model.fp16.safetensors']],
  ['an adapter beside', ['adapter_model.safetensors', 'x.safetensors'], ['x.safetensors']],
  ['files of folders below are none', ['x.safetensors', 'onnx/y.safetensors'], ['x.safetensors']],
  [
    'a whole set in any order',
    ['m-00002-of-00002.safetensors', 'm-00001-of-00002.safetensors'],
    ['m-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors'],
  ],
])('%s', async (_, names, shards) => {
  const chosen = await chooseWeights({ label: 'm', names, config: null, ...none });
  expect(chosen).toMatchObject({ shards, index: false, absent: [] });
  expect(chosen.notes).toHaveLength(1);
});

test.each<[string, string[], string]>([
  ['two variants', ['model.fp16.safetensors', 'model.bf16.safetensors'], '2 safetensors files (model.bf16'],
  ['a set with a gap', ['m-00001-of-00003.safetensors', 'm-00003-of-00003.safetensors'], '2 safetensors files'],
  ['two sets', ['a-00001-of-00001.safetensors', 'b-00001-of-00001.safetensors'], '2 safetensors files'],
  ['nothing', [], 'contains neither'],
  [
    'other forms',
    ['pytorch_model-00001-of-00002.bin', 'model.gguf'],
    'but pytorch_model-00001-of-00002.bin, model.gguf',
  ],
])('%s: refused', async (_, names, named) => {
  await expect(chooseWeights({ label: 'm', names, config: null, ...none })).rejects.toMatchObject({
    code: 'missing-file',
    message: expect.stringContaining(named),
  });
});

test.each([
  ['{"transformers_weights": 7}'],
  ['{"transformers_weights": "../x.safetensors"}'],
  ['transformers_weights'],
  ['"transformers_weights"'],
])('config.json %s names no file', async (config) => {
  const place = { label: 'm', names: ['x.safetensors'], config, ...none };
  expect((await chooseWeights(place)).shards).toEqual(['x.safetensors']);
});
