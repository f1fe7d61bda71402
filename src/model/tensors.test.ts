import { expect, test } from 'vitest';
import type { ModelShape } from './shape';
import { checkTensors, expectedTensorNames, type FileTensor, indexTensors } from './tensors';

const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 8,
  layers: [
    { source: 0, heads: 2, kvHeads: 1, headDim: 4, ffn: 12 },
    { source: 3, heads: 0, kvHeads: 0, headDim: 4, ffn: 12 },
  ],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 32,
  tiedHead: true,
};

const dims: Record<string, number[]> = {
  'model.embed_tokens.weight': [10, 8],
  'model.norm.weight': [8],
  'model.layers.0.input_layernorm.weight': [8],
  'model.layers.0.self_attn.q_proj.weight': [8, 8],
  'model.layers.0.self_attn.k_proj.weight': [4, 8],
  'model.layers.0.self_attn.v_proj.weight': [4, 8],
  'model.layers.0.self_attn.o_proj.weight': [8, 8],
  'model.layers.0.post_attention_layernorm.weight': [8],
  'model.layers.0.mlp.gate_proj.weight': [12, 8],
  'model.layers.0.mlp.up_proj.weight': [12, 8],
  'model.layers.0.mlp.down_proj.weight': [8, 12],
  'model.layers.3.post_attention_layernorm.weight': [8],
  'model.layers.3.mlp.gate_proj.weight': [12, 8],
  'model.layers.3.mlp.up_proj.weight': [12, 8],
  'model.layers.3.mlp.down_proj.weight': [8, 12],
};

function tensors(changes: Record<string, Partial<FileTensor> | null> = {}): FileTensor[] {
  return Object.keys({ ...dims, ...changes }).flatMap((name) => {
    const change = changes[name];
    if (change === null) return [];
    const size = (change?.dims ?? dims[name] ?? [1]).reduce((a, b) => a * b, 2);
    const plain = { name, dtype: 'F16', dims: dims[name] ?? [1], file: 'model.safetensors', begin: 0, end: size };
    return [{ ...plain, ...change }];
  });
}

test('tensors are found by role; the blocks that remain name what they need', () => {
  expect(expectedTensorNames(shape).sort()).toEqual(Object.keys(dims).sort());
  const index = indexTensors(shape, tensors());
  expect(index.layerTensor('downProj', 3).dims).toEqual([8, 12]);
  expect(index.modelTensor('embed').name).toBe('model.embed_tokens.weight');
  expect(index.dtype).toBe('F16');
  expect(() => index.layerTensor('qProj', 3)).toThrow('no qProj of layer 3');
});

const namesOf = (family: string, normPlacement: 'post' | 'both') =>
  expectedTensorNames({ ...shape, family, layers: [{ ...shape.layers[0]!, normPlacement }] })
    .filter((name) => name.includes('layernorm'))
    .map((name) => name.replace('_layernorm.weight', ''));

test('what LLaMA calls the norm before the MLP is the norm behind the attention where outputs are normed', () => {
  const sandwich = ['input', 'post_attention', 'pre_feedforward', 'post_feedforward'];
  expect(namesOf('gemma2', 'both')).toEqual(sandwich.map((name) => `model.layers.0.${name}`));
  expect(namesOf('gemma3', 'both')).toEqual(sandwich.map((name) => `language_model.model.layers.0.${name}`));
  expect(namesOf('olmo2', 'post')).toEqual(['post_attention', 'post_feedforward'].map((n) => `model.layers.0.${n}`));
  expect(() => namesOf('llama', 'both')).toThrow("A block of the family 'llama' has no postAttnNorm.");
});

test('tensors that nobody needs are ignored, whatever they hold', () => {
  const extra = { 'model.layers.0.self_attn.rotary_emb.inv_freq': { dtype: 'F64', dims: [2] }, 'lm_head.weight': {} };
  expect(indexTensors(shape, tensors(extra)).dtype).toBe('F16');
});

test('the dtype is that of most bytes', () => {
  expect(indexTensors(shape, tensors({ 'model.norm.weight': { dtype: 'F32', end: 32 } })).dtype).toBe('F16');
});

test('wrong dims are told with their formula', () => {
  const wrong = tensors({ 'model.layers.0.self_attn.k_proj.weight': { dims: [8, 8] } });
  const message = 'kProj of layer 0: expected [4, 8] (kvHeads·headDim × hidden), got [8, 8].';
  expect(() => indexTensors(shape, wrong)).toThrow(message);
  expect(() => checkTensors(shape, wrong)).toThrow(expect.objectContaining({ code: 'bad-weights', message }));
});

test('a missing tensor is named, a shard alone may lack it', () => {
  const missing = tensors({ 'model.layers.3.mlp.up_proj.weight': null, 'model.norm.weight': null });
  expect(() => indexTensors(shape, missing)).toThrow(/lacks .* and 1 more/);
  expect(() => checkTensors(shape, missing)).not.toThrow();
});

test('an untied head must be there', () => {
  const untied = { ...shape, tiedHead: false };
  expect(() => indexTensors(untied, tensors())).toThrow(
    expect.objectContaining({ code: 'bad-weights', remedy: expect.stringContaining('tie_word_embeddings') }),
  );
});

test('integer weights are refused', () => {
  const integer = tensors({ 'model.layers.0.mlp.up_proj.weight': { dtype: 'I8' } });
  expect(() => indexTensors(shape, integer)).toThrow('upProj of layer 0: expected F32, F16, BF16 elements, got I8');
});

test('of a tensor in two shards the last one in alphabetical order counts, as in transformers', () => {
  const other = (file: string) => ({ ...tensors()[0]!, file });
  for (const twice of [
    [...tensors(), other('other.safetensors')],
    [other('other.safetensors'), ...tensors()],
  ]) {
    expect(indexTensors(shape, twice).modelTensor('embed').file).toBe('other.safetensors');
  }
  expect(indexTensors(shape, [other('a.safetensors'), ...tensors()]).modelTensor('embed').file).toBe(
    'model.safetensors',
  );
});
