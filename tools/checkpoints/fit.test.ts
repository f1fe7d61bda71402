import { expect, test } from 'vitest';
import { parseConfig } from '../../src/model/config';
import { fitTensors, lackingNames } from '../../src/model/fit';
import { type FileTensor, tensorIndex } from '../../src/model/tensors';
import { tinyConfig, tinyTensors } from '../../src/shards/testing/tinyModel';

const gemma3 = {
  model_type: 'gemma3',
  text_config: {
    ...{ hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4, head_dim: 4 },
    ...{ num_key_value_heads: 2, vocab_size: 40, sliding_window: 8 },
  },
};

/** The tensors of a configuration with other names, and some that it does not have. */
function held(config: object, rename: (name: string) => string, more: readonly string[] = []): FileTensor[] {
  const place = { dtype: 'F32', file: 'model.safetensors' };
  const own = tinyTensors(config).map(({ name, dims }, at) => ({
    ...place,
    name: rename(name),
    dims,
    begin: at,
    end: at,
  }));
  return [...own, ...more.map((name) => ({ ...place, name, dims: [3], begin: 0, end: 12 }))];
}

const tower = [0, 1].flatMap((layer) =>
  ['q_proj', 'k_proj', 'v_proj'].map(
    (each) => `vision_tower.vision_model.encoder.layers.${layer}.self_attn.${each}.weight`,
  ),
);

test.each([
  ['as on the Hub', (name: string) => name, ''],
  ['as transformers 5 has them', (name: string) => name.replace('language_model.model.', 'model.language_model.'), ''],
  ['as its language model alone', (name: string) => name.replace('language_model.model.', 'model.'), 'would not find'],
])('Gemma 3 beside a vision tower, %s', (_, rename, note) => {
  const fit = fitTensors(parseConfig(gemma3), held(gemma3, rename, [...tower, 'multi_modal_projector.weight']));
  expect(tensorIndex(fit.shape, fit.byName).layerTensor('downProj', 1).name).toContain('layers.1.mlp.down_proj');
  expect(fit.notes.join()).toContain(note);
  expect(fit.notes).toHaveLength(note === '' ? 0 : 1);
});

test('what every model needs of an index: neither biases nor a tied head, in whatever spelling', () => {
  const config = { ...tinyConfig, attention_bias: true, tie_word_embeddings: true };
  const { shape } = parseConfig(config);
  const names = held(config, (name) => name.replace('model.', '')).map(({ name }) => name);
  expect(
    lackingNames(
      shape,
      names.filter((name) => !name.endsWith('.bias')),
    ),
  ).toEqual([]);
  expect(
    lackingNames(
      shape,
      names.filter((name) => name !== 'norm.weight'),
    ),
  ).toEqual(['norm.weight']);
  expect(
    lackingNames(
      shape,
      names.filter((name) => name !== 'embed_tokens.weight'),
    ),
  ).toEqual(['embed_tokens.weight']);
  const standIn = [...names.filter((name) => name !== 'embed_tokens.weight'), 'lm_head.weight'];
  expect(lackingNames(shape, standIn)).toEqual([]);
});

test('two tables are named for comparing; other types are another head without a look', () => {
  const config = { ...tinyConfig, tie_word_embeddings: true };
  const tensors = held(config, (name) => name);
  const head = { ...tensors.find(({ name }) => name.includes('embed'))!, name: 'lm_head.weight' };
  const parsed = parseConfig(config);
  expect(fitTensors(parsed, tensors).tables).toBeNull();
  expect(fitTensors(parsed, [...tensors, head])).toMatchObject({ shape: { tiedHead: true }, notes: [] });
  expect(fitTensors(parsed, [...tensors, head]).tables?.map(({ name }) => name)).toEqual([
    'model.embed_tokens.weight',
    'lm_head.weight',
  ]);
  expect(fitTensors(parsed, [...tensors, head], true).shape.tiedHead).toBe(false);
  expect(fitTensors(parsed, [...tensors, { ...head, dtype: 'F16' }]).shape.tiedHead).toBe(false);
});

test('biases stay where they are, layer by layer', () => {
  const config = { ...tinyConfig, attention_bias: true };
  const tensors = held(config, (name) => name).filter(
    ({ name }) => !/layers\.0\..*bias|layers\.1\..*o_proj\.bias/.test(name),
  );
  const { shape, notes } = fitTensors(parseConfig(config), tensors);
  expect(shape.layers.map(({ biases }) => biases)).toEqual([undefined, ['qBias', 'kBias', 'vBias']]);
  expect(notes).toEqual([expect.stringContaining('self_attn.q_proj.bias and 4 more')]);
});

test('biases of the MLP stay where they are, also in a layer whose attention has none', () => {
  const config = { ...tinyConfig, mlp_bias: true };
  const tensors = held(config, (name) => name).filter(
    ({ name }) => !/layers\.0\..*(gate|up)_proj\.bias|layers\.1\..*up_proj\.bias/.test(name),
  );
  const { shape, notes } = fitTensors(parseConfig(config), tensors);
  expect(shape.layers.map(({ biases }) => biases)).toEqual([['downBias'], ['gateBias', 'downBias']]);
  expect(notes).toEqual([expect.stringContaining('mlp.gate_proj.bias and 2 more')]);
});

test('names that every object has are names like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'model.layers.__proto__.x', 'model.layers.constructor'];
  const { notes, shape } = fitTensors(
    parseConfig(tinyConfig),
    held(tinyConfig, (name) => name, names),
  );
  expect(notes).toEqual([]);
  expect(shape.layers).toHaveLength(2);
});

test('names with and without the beginning in one checkpoint; a part that is there twice is refused', () => {
  const { shape } = parseConfig(tinyConfig);
  const some = (name: string) => name.replace(/^model\.layers\.0\./, 'layers.0.');
  const fit = fitTensors(parseConfig(tinyConfig), held(tinyConfig, some));
  const index = tensorIndex(fit.shape, fit.byName);
  expect(index.tensors).toHaveLength(tinyTensors(tinyConfig).length);
  expect(fit.notes.join()).toContain("Some of the checkpoint's tensors are named without 'model.'");
  const names = held(tinyConfig, some).map(({ name }) => name);
  expect(lackingNames(shape, names)).toEqual([]);
  const twice = held(tinyConfig, some, ['model.layers.0.input_layernorm.weight']);
  const open = () => {
    const held = fitTensors(parseConfig(tinyConfig), twice);
    return tensorIndex(held.shape, held.byName);
  };
  expect(open).toThrow(expect.objectContaining({ code: 'bad-weights' }));
});
