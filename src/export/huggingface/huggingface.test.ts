/** @file Exported folders: what they hold, and that this program loads the same weights back from them. */
import { describe, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { layerRoles, modelRoles } from '../../model/shape';
import type { TensorRef, WeightSource } from '../../model/weights';
import { taskResult } from '../../report/testing/taskRows';
import { loadModel } from '../../shards/download/load';
import { openSource } from '../../shards/sources/openSource';
import type { Checkpoint } from '../../shards/store/checkpoint';
import { newStore } from '../../shards/testing/memory';
import type { ExportedFile, ExportSource } from '../exported';
import { type CaseName, variantCase } from '../testing/cases';
import { chosenAgain, contentOf, exportSourceOf, planOf } from '../testing/source';
import { huggingface } from './format';
import { addsZeroBiases } from './tensors';
import write, { writeFolder } from './write';

async function made(name: string, kind: CaseName): Promise<{ source: ExportSource; files: readonly ExportedFile[] }> {
  const source = await variantCase(name, kind);
  if (source === null) throw new Error(`${name} has no variant '${kind}'.`);
  return { source, files: await write(source, {}) };
}

async function textOf(files: readonly ExportedFile[], path: string): Promise<string> {
  const file = files.find((each) => each.path === path);
  if (!file) throw new Error(`No ${path} among ${files.map((each) => each.path).join(', ')}.`);
  return new TextDecoder().decode(await contentOf(file));
}
const configOf = async (files: readonly ExportedFile[]): Promise<Record<string, unknown>> =>
  JSON.parse(await textOf(files, 'config.json')) as Record<string, unknown>;

async function loadedAgain(files: readonly ExportedFile[]): Promise<Checkpoint> {
  const repository = await openSource(await chosenAgain(files), { baseUrl: 'https://page.test/' });
  return (await loadModel(repository, await newStore({ chunkBytes: 2 ** 20 }))).checkpoint;
}

/** Every weight of a shape by its place in the model, as its stored bytes. */
async function allWeights(shape: ModelShape, weights: WeightSource): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const put = async (place: string, ref: TensorRef): Promise<void> => {
    found.set(place, `${ref.dtype} [${ref.dims.join()}] ${Buffer.from(await weights.read(ref)).toString('base64')}`);
  };
  for (const role of modelRoles(shape)) await put(role, weights.modelTensor(role));
  for (const [index, layer] of shape.layers.entries()) {
    for (const role of layerRoles(layer)) await put(`${index} ${role}`, weights.layerTensor(role, layer.source));
  }
  return found;
}

/** The shape with consecutive blocks, without what removed sub-blocks leave in it. */
function renumbered(shape: ModelShape): ModelShape {
  const layers = shape.layers.map(({ biases, ...layer }, source) => ({
    ...layer,
    source,
    ...(biases?.length && { biases: biases.toSorted() }),
  }));
  return { ...shape, layers };
}

const rounds = [
  ...(['base', 'depth', 'even', 'uneven', 'sub-blocks', 'biases', 'rescaled'] as const).map(
    (kind) => ['tiny-a', kind] as const,
  ),
  ...[['tiny-b', 'uneven'] as const, ['tiny-c', 'even'] as const, ['tiny-mistral', 'sub-blocks'] as const],
  ...[['tiny-qwen2', 'depth'] as const, ['tiny-qwen2', 'biases'] as const, ['tiny-qwen3', 'uneven'] as const],
  ...[['tiny-gemma2', 'depth'] as const, ['tiny-gemma3', 'sub-blocks'] as const, ['tiny-olmo2', 'uneven'] as const],
];

describe('an exported folder loads back with the same shape and the same bytes', () => {
  test.each(rounds)('%s, %s', async (name, kind) => {
    const { source, files } = await made(name, kind);
    const { shape, weights } = source.view;
    const again = await loadedAgain(files);
    const expected = await allWeights(shape, weights);
    const got = await allWeights(again.config.shape, again);
    if (addsZeroBiases(shape)) {
      for (const [place, value] of expected) expect(got.get(place)).toBe(value);
      const zeros = [...got].filter(([place]) => !expected.has(place)).map(([, value]) => value.split(' ').at(-1));
      expect(zeros.length).toBeGreaterThan(0);
      for (const zero of zeros) expect(zero).toMatch(/^A+=*$/);
    } else {
      expect(got).toEqual(expected);
      expect(renumbered(again.config.shape)).toEqual(renumbered(shape));
    }
    expect(again.config.notes).toEqual([]);
  });
});

test('a folder that was loaded back can be exported again, with the same configuration and weights', async () => {
  const { files } = await made('tiny-gemma3', 'sub-blocks');
  const again = await loadedAgain(files);
  const { shape } = again.config;
  const source = await exportSourceOf('tiny-gemma3', {
    source: { shape, baseShape: shape, view: { id: 'base', shape, weights: again }, text: (file) => again.text(file) },
  });
  const twice = await write(source, {});
  expect(await configOf(twice)).toEqual(await configOf(files));
  expect(await textOf(twice, 'model.safetensors')).toBe(await textOf(files, 'model.safetensors'));
});

describe('config.json', () => {
  test('all fields stay, and sizes are those of the variant', async () => {
    const { source, files } = await made('tiny-llama3', 'even');
    const config = await configOf(files);
    const raw = JSON.parse((await source.text('config.json'))!) as Record<string, unknown>;
    expect(Object.keys(config)).toEqual(expect.arrayContaining(Object.keys(raw)));
    expect(config).toMatchObject({
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 16,
      intermediate_size: 27,
    });
    expect(config).toMatchObject({ model_type: 'llama', architectures: ['LlamaForCausalLM'], torch_dtype: 'bfloat16' });
    expect(config['rope_scaling']).toEqual(raw['rope_scaling']);
    expect(config).not.toHaveProperty('auto_map');
  });
  test('floats stay floats in its text', async () => {
    const text = await textOf((await made('tiny-gemma2', 'depth')).files, 'config.json');
    expect(text).toContain('"final_logit_softcapping": 5.0,');
    expect(text).toContain('"query_pre_attn_scalar": 20,');
    expect(text).toContain('"rope_theta": 10000.0,');
  });
  test('layer types, windows and lists by block lose the entries of removed blocks', async () => {
    const [full, sliding] = ['full_attention', 'sliding_attention'];
    const texts = {
      'config.json': JSON.stringify({
        ...JSON.parse((await (await exportSourceOf('tiny-qwen2')).text('config.json'))!),
        layer_types: [full, full, sliding, sliding],
        no_rope_layers: [1, 0, 1, 0],
        mlp_only_layers: [1, 3],
        per_layer_config: { 0: { a: 1 }, 3: { b: 2 } },
        auto_map: { AutoConfig: 'other.Class' },
      }),
    };
    const plan = planOf([{ kind: 'block', layer: 1 }]);
    const source = await exportSourceOf('tiny-qwen2', { plan, texts });
    expect(await configOf(await write(source, {}))).toMatchObject({
      layer_types: [full, sliding, sliding],
      no_rope_layers: [1, 1, 0],
      mlp_only_layers: [2],
      per_layer_config: { 0: { a: 1 }, 2: { b: 2 } },
      max_window_layers: 1,
      num_hidden_layers: 3,
    });
  });
  test('a rule that counts blocks becomes a list', async () => {
    const { files } = await made('tiny-gemma3', 'depth');
    const config = await configOf(files);
    const [full, sliding] = ['full_attention', 'sliding_attention'];
    expect(config['layer_types']).toEqual([sliding, full, sliding, sliding, full]);
    expect(config).not.toHaveProperty('sliding_window_pattern');
    expect(await configOf((await made('tiny-gemma3', 'base')).files)).toHaveProperty('sliding_window_pattern', 3);
  });
  test('the language model beside a vision tower is written as one without', async () => {
    const inner = JSON.parse((await (await exportSourceOf('tiny-gemma3')).text('config.json'))!) as object;
    const texts = {
      'config.json': JSON.stringify({ model_type: 'gemma3', text_config: inner, eos_token_id: [2, 5], mm_tokens: 4 }),
    };
    const base = await exportSourceOf('tiny-gemma3');
    const shape = { ...base.shape, family: 'gemma3' };
    const files = await write(
      {
        ...base,
        shape,
        baseShape: shape,
        view: { ...base.view, shape },
        text: async (file) => texts[file as 'config.json'] ?? null,
      },
      {},
    );
    const config = await configOf(files);
    expect(config).toMatchObject({
      model_type: 'gemma3_text',
      architectures: ['Gemma3ForCausalLM'],
      eos_token_id: [2, 5],
    });
    expect(config).not.toHaveProperty('text_config');
    expect(await textOf(files, 'model.safetensors')).toContain('"model.layers.0.self_attn.q_proj.weight"');
    expect(await textOf(files, 'README.md')).toContain('without the vision tower');
  });
});

test('token ids beyond the vocabulary are left out, and the card says so', async () => {
  const generation = '{"temperature": 1.0, "eos_token_id": [2, 97, 500], "pad_token_id": 97}';
  const source = await exportSourceOf('tiny-a', { texts: { 'generation_config.json': generation } });
  const files = await write(source, {});
  expect(await textOf(files, 'generation_config.json')).toBe(
    '{\n  "temperature": 1.0,\n  "eos_token_id": [\n    2\n  ]\n}\n',
  );
  expect(await textOf(files, 'README.md')).toContain('ids beyond the vocabulary of 97');
  const good = '{"temperature": 1.0,"eos_token_id": 2}';
  const kept = await write(await exportSourceOf('tiny-a', { texts: { 'generation_config.json': good } }), {});
  expect(await textOf(kept, 'generation_config.json')).toBe(good);
});

test('weights beyond the size of a file are written as shards with an index', async () => {
  const source = (await variantCase('tiny-b', 'uneven'))!;
  const files = await writeFolder(source, 20_000);
  const index = JSON.parse(await textOf(files, 'model.safetensors.index.json')) as {
    metadata: { total_size: number };
    weight_map: Record<string, string>;
  };
  const shards = files.filter(({ path }) => path.endsWith('.safetensors'));
  expect(shards.length).toBeGreaterThan(3);
  expect(shards[0]!.path).toBe(`model-00001-of-0000${shards.length}.safetensors`);
  expect(new Set(Object.values(index.weight_map))).toEqual(new Set(shards.map(({ path }) => path)));
  for (const shard of shards) expect(shard.bytes).toBeLessThan(25_000);
  const again = await loadedAgain(files);
  expect(await allWeights(again.config.shape, again)).toEqual(await allWeights(source.view.shape, source.view.weights));
});

test('a shape that transformers can have names its class; another one carries a modeling file of the family', async () => {
  const stock = await made('tiny-qwen3', 'even');
  expect(stock.files.map(({ path }) => path)).not.toContain('modeling_secateur.py');
  expect(huggingface.runsIn(stock.source)).toContain('Qwen3ForCausalLM');
  const own = await made('tiny-qwen3', 'uneven');
  const code = await textOf(own.files, 'modeling_secateur.py');
  expect(code).toContain('from transformers import Qwen3Config as FamilyConfig');
  expect(code).toContain('from transformers import Qwen3ForCausalLM as FamilyForCausalLM');
  expect(huggingface.runsIn(own.source)).toContain('blocks have 2 to 4 query heads');
  expect(await textOf(own.files, 'README.md')).toContain('trust_remote_code=True');
});

test('the card tells base, plan and numbers, and no text from outside becomes its markup', async () => {
  const source = (await variantCase('tiny-a', 'depth'))!;
  const device = { adapter: 'a <b>', software: true, runtime: 'WGSL engine' };
  const text = { corpus: '# heading', sequences: 4, seqLen: 64, hash: 'abc' };
  const result = {
    perplexity: 12.3456789,
    meanNll: 2.5,
    tokens: 252,
    milliseconds: 1,
    runtime: 'wgsl' as const,
    text,
    device,
  };
  const row = {
    ...{ variant: 'v1', name: 'x', plan: source.plan, parameters: 1, ratio: 0, layers: 3, parent: 'base', recipe: [] },
    ...{ patchBytes: 0, perplexity: { wgsl: result }, latency: [], tasks: [taskResult('a|b.jsonl', 3, { items: 4 })] },
  };
  const model = { ...source.model, source: 'owner/name', revision: 'a1b2' };
  const files = await write({ ...source, row, model, name: 'bad\n# name' }, {});
  const card = await textOf(files, 'README.md');
  expect(card).toContain('base_model: "owner/name"');
  expect(card).toContain('Removed (indices of the base): without 1.');
  expect(card).toContain(
    '| bad \\# name | 12.3457 | \\# heading, 4 × 64 tokens, hash `abc` | 252 | a \\<b\\>, WGSL engine |',
  );
  expect(card).toContain(
    '| bad \\# name | a\\|b.jsonl | 4, hash `questions of a\\|b.jsonl` | 0.750 ± 0.250 | 0.500 | a test, WGSL engine |',
  );
  expect(card).not.toMatch(/^# (heading|name)/m);
});

test('cancelling stops between two pieces', async () => {
  const { files } = await made('tiny-a', 'even');
  const controller = new AbortController();
  const weights = files.find(({ path }) => path === 'model.safetensors')!;
  const pieces = weights.pieces(controller.signal)[Symbol.asyncIterator]();
  await pieces.next();
  controller.abort();
  await expect(pieces.next()).rejects.toMatchObject({ code: 'aborted' });
});
