import { expect, test } from 'vitest';
import { parseConfig } from './config';

const good = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};

test('a LLaMA configuration becomes a shape', () => {
  const { shape, architecture, bosTokenId, eosTokenIds } = parseConfig(good);
  expect(shape).toMatchObject({ family: 'llama', vocab: 512, hidden: 64, normEps: 1e-5, ropeTheta: 500000 });
  expect(shape).toMatchObject({ maxPositions: 512, tiedHead: true });
  expect(shape.layers).toHaveLength(5);
  expect(shape.layers[3]).toEqual({ source: 3, heads: 8, kvHeads: 4, headDim: 8, ffn: 172 });
  expect({ architecture, bosTokenId, eosTokenIds }).toEqual({
    architecture: 'LlamaForCausalLM',
    bosTokenId: 1,
    eosTokenIds: [2],
  });
});

test("absent fields take transformers' defaults", () => {
  const { hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, vocab_size, model_type } = good;
  const { shape, architecture, bosTokenId, eosTokenIds } = parseConfig({
    hidden_size,
    intermediate_size,
    num_hidden_layers,
    num_attention_heads,
    vocab_size,
    model_type,
  });
  expect(shape.layers[0]!.kvHeads).toBe(8);
  expect(shape).toMatchObject({ ropeTheta: 10000, normEps: 1e-6, tiedHead: false, maxPositions: 2048 });
  expect({ architecture, bosTokenId, eosTokenIds }).toEqual({
    architecture: 'LlamaForCausalLM',
    bosTokenId: null,
    eosTokenIds: [],
  });
});

test('head_dim may differ from hidden / heads', () => {
  const { shape } = parseConfig({ ...good, hidden_size: 60, num_attention_heads: 8, head_dim: 16 });
  expect(shape.layers[0]).toMatchObject({ heads: 8, headDim: 16 });
});

test('rope_parameters of newer files give θ', () => {
  const { rope_theta: _, ...rest } = good;
  const nested = { ...rest, rope_scaling: null, rope_parameters: { rope_type: 'default', rope_theta: 250000 } };
  expect(parseConfig(nested).shape.ropeTheta).toBe(250000);
});

test.each([
  ['rope_scaling', { rope_type: 'llama3', factor: 32 }, 'llama3'],
  ['rope_scaling', { type: 'linear', factor: 2 }, 'linear'],
  ['rope_parameters', { rope_type: 'yarn', rope_theta: 1e4 }, 'yarn'],
  ['rope_parameters', { rope_theta: 1e4, partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
  ['attention_bias', true, 'attention_bias'],
  ['mlp_bias', true, 'mlp_bias'],
  ['hidden_act', 'gelu', 'gelu'],
  ['quantization_config', { quant_method: 'gptq' }, 'gptq'],
  ['model_type', 'mistral', "'mistral'; supported: 'llama'"],
])('%s %j is refused as an unsupported architecture', (field, value, named) => {
  const load = () => parseConfig({ ...good, [field]: value });
  expect(load).toThrow(named);
  expect(load).toThrow(expect.objectContaining({ code: 'unsupported-architecture' }));
});

test.each([
  ['hidden_size', 0, 'hidden_size'],
  ['hidden_size', 63, 'hidden_size: expected a multiple of num_attention_heads 8'],
  ['hidden_size', 64.5, 'hidden_size'],
  ['hidden_size', '64', 'hidden_size'],
  ['hidden_size', 72, 'head dimension: expected an even number'],
  ['num_hidden_layers', 1e9, 'num_hidden_layers'],
  ['vocab_size', undefined, 'vocab_size is missing'],
  ['num_key_value_heads', 3, 'num_key_value_heads: expected a divisor of num_attention_heads 8, got 3'],
  ['head_dim', 7, 'even'],
  ['rms_norm_eps', -1, 'rms_norm_eps'],
  ['rope_theta', 'x', 'rope_theta'],
  ['rope_scaling', 'linear', 'rope_scaling'],
  ['tie_word_embeddings', 1, 'tie_word_embeddings'],
  ['attention_bias', 'yes', 'attention_bias'],
  ['eos_token_id', 512, 'token id 512'],
  ['bos_token_id', -1, 'bos_token_id'],
  ['model_type', undefined, 'model_type'],
])('%s %j is refused as a bad configuration', (field, value, named) => {
  const load = () => parseConfig({ ...good, [field]: value });
  expect(load).toThrow(named);
  expect(load).toThrow(expect.objectContaining({ code: 'bad-config' }));
});

test.each([[null], [[]], ['llama'], [7]])('%j is no configuration', (json) => {
  expect(() => parseConfig(json)).toThrow(expect.objectContaining({ code: 'bad-config' }));
});

test('a message quotes what came and where', () => {
  expect(() => parseConfig({ ...good, intermediate_size: -5 })).toThrow(/config\.json: intermediate_size: .*got -5/);
});
