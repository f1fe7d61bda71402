import { describe, expect, test } from 'vitest';
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
  ['rope_scaling', { rope_type: 'longrope', factor: 32 }, 'longrope'],
  ['rope_scaling', { type: 'su', long_factor: [1] }, 'su'],
  ['rope_scaling', { type: 'mrope' }, 'mrope'],
  ['rope_parameters', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
  ['partial_rotary_factor', 0.25, 'partial_rotary_factor'],
  ['rope_parameters', { full_attention: { rope_theta: 1e4 } }, 'rope_parameters of full_attention'],
  ['layer_types', [...Array(4).fill('full_attention'), 'sliding_attention'], '"sliding_attention" in layer 4'],
  ['mlp_bias', true, 'mlp_bias'],
  ['hidden_act', 'gelu', 'gelu'],
  ['quantization_config', { quant_method: 'gptq' }, 'gptq'],
  ['model_type', 'mixtral', "'mixtral'; supported: 'llama', 'mistral', 'qwen2', 'qwen3'"],
  ['model_type', 'qwen3_moe', 'qwen3_moe'],
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
  ['rope_theta', 1, 'rope_theta'],
  ['rope_scaling', 'linear', 'rope_scaling'],
  ['rope_scaling', { type: 'linear' }, 'rotary embedding of type "linear": factor is missing'],
  ['rope_scaling', { type: 'dynamic', factor: -2 }, 'factor'],
  ['rope_scaling', { rope_type: 'default', type: 'mrope' }, 'expected one kind of rotary embedding'],
  ['rope_scaling', { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 }, 'high_freq_factor'],
  ['rope_scaling', { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 0.5 }, 'original_max_position'],
  ['rope_parameters', { rope_theta: 1e4 }, 'rope_parameters.rope_theta: 10000 here and 500000 elsewhere'],
  ['max_position_embeddings', null, 'max_position_embeddings'],
  ['layer_types', ['full_attention'], 'layer_types: expected one for each of the 5 layers, got 1'],
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

describe('scaled rotary embeddings', () => {
  const scaled = (rope_scaling: object, more: object = {}) => {
    const { ropeTheta, layers } = parseConfig({ ...good, rope_scaling, ...more }).shape;
    for (const layer of layers) expect(layer.rope).toEqual(layers[0]!.rope);
    expect(layers[0]!.rope?.theta ?? ropeTheta).toBe(ropeTheta);
    return layers[0]!.rope?.scaling;
  };

  test('Llama 3.1', () => {
    const fields = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    expect(scaled({ ...fields, rope_type: 'llama3' })).toEqual({
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalPositions: 8192,
    });
    const { original_max_position_embeddings: _, ...rest } = fields;
    expect(scaled({ ...rest, rope_type: 'llama3' })).toMatchObject({ originalPositions: 512 });
  });

  test('linear, in the old words and in the new', () => {
    expect(scaled({ type: 'linear', factor: 2 })).toEqual({ kind: 'linear', factor: 2 });
    const { rope_theta: _, ...rest } = good;
    const rope_parameters = { rope_type: 'linear', factor: 2, rope_theta: 1e6 };
    expect(parseConfig({ ...rest, rope_parameters }).shape.layers[4]!.rope).toEqual({
      theta: 1e6,
      scaling: { kind: 'linear', factor: 2 },
    });
  });

  test('dynamic changes nothing up to the longest context, which windows never exceed', () => {
    expect(scaled({ type: 'dynamic', factor: 2 })).toBeUndefined();
  });

  test("YaRN, with Qwen's few fields, with its own factor, and with DeepSeek's mscale", () => {
    expect(scaled({ type: 'yarn', factor: 4, original_max_position_embeddings: 128 })).toEqual({
      kind: 'yarn',
      factor: 4,
      originalPositions: 128,
      betaFast: 32,
      betaSlow: 1,
      truncate: true,
      attentionFactor: 0.1 * Math.log(4) + 1,
    });
    const whole = { rope_type: 'yarn', factor: null, original_max_position_embeddings: 64, truncate: false };
    expect(scaled({ ...whole, beta_fast: 16, beta_slow: 2, attention_factor: 1.5 })).toEqual({
      kind: 'yarn',
      factor: 8,
      originalPositions: 64,
      betaFast: 16,
      betaSlow: 2,
      truncate: false,
      attentionFactor: 1.5,
    });
    expect(scaled({ rope_type: 'yarn', factor: 40, mscale: 1, mscale_all_dim: 0.5 })).toMatchObject({
      attentionFactor: (0.1 * Math.log(40) + 1) / (0.05 * Math.log(40) + 1),
      originalPositions: 512,
    });
  });
});

describe('families', () => {
  const layersOf = (change: object) => parseConfig({ ...good, ...change }).shape.layers;
  const windowsOf = (change: object) => layersOf(change).map(({ window }) => window);

  test('LLaMA with attention_bias has four biases in every layer, and no windows', () => {
    expect(layersOf({ attention_bias: true, sliding_window: 16 })[4]).toEqual({
      source: 4,
      heads: 8,
      kvHeads: 4,
      headDim: 8,
      ffn: 172,
      biases: ['qBias', 'kBias', 'vBias', 'oBias'],
    });
  });

  test('Mistral has its window in every layer, unless the file says null', () => {
    const mistral = { model_type: 'mistral' };
    expect(windowsOf(mistral)).toEqual(Array(5).fill(4096));
    expect(windowsOf({ ...mistral, sliding_window: 16 })).toEqual(Array(5).fill(16));
    expect(windowsOf({ ...mistral, sliding_window: null })).toEqual(Array(5).fill(undefined));
    expect(() => layersOf({ ...mistral, attention_bias: true })).toThrow('attention_bias: true');
    expect(() => layersOf({ ...mistral, layer_types: Array(5).fill('full_attention') })).toThrow(
      '"full_attention" in layer 0',
    );
    const { max_position_embeddings: _, num_key_value_heads: __, ...rest } = good;
    const { shape } = parseConfig({ ...rest, ...mistral });
    expect(shape).toMatchObject({ maxPositions: 131072, family: 'mistral' });
    expect(shape.layers[0]!.kvHeads).toBe(8);
  });

  test('Qwen2 has three biases, and windows from max_window_layers on, if it uses them', () => {
    const qwen2 = { model_type: 'qwen2', sliding_window: 16, max_window_layers: 3 };
    expect(layersOf(qwen2)[4]).toEqual({
      source: 4,
      heads: 8,
      kvHeads: 4,
      headDim: 8,
      ffn: 172,
      biases: ['qBias', 'kBias', 'vBias'],
    });
    const using = { ...qwen2, use_sliding_window: true };
    expect(windowsOf(using)).toEqual([undefined, undefined, undefined, 16, 16]);
    const { max_window_layers: _, ...unsaid } = using; // 28 then, and these are 5 layers
    expect(windowsOf(unsaid)).toEqual(Array(5).fill(undefined));
    expect(() => windowsOf({ ...using, max_window_layers: null })).toThrow('max_window_layers');
    expect(windowsOf({ ...using, max_window_layers: 0 })).toEqual(Array(5).fill(16));
  });

  test('Qwen2 with layer_types has its windows there', () => {
    const [full, sliding] = ['full_attention', 'sliding_attention'];
    const layer_types = [sliding, full, sliding, full, full];
    const qwen2 = { model_type: 'qwen2', sliding_window: 16, layer_types };
    expect(windowsOf({ ...qwen2, use_sliding_window: true })).toEqual([16, undefined, 16, undefined, undefined]);
    expect(() => windowsOf(qwen2)).toThrow('layer 0 is "sliding_attention", but sliding_window is 16');
    expect(() => windowsOf({ ...qwen2, layer_types: [...layer_types.slice(1), 'chunked_attention'] })).toThrow(
      expect.objectContaining({ code: 'unsupported-architecture' }),
    );
  });

  test('Qwen3 norms queries and keys by head, of 128 channels unless the file says so', () => {
    expect(layersOf({ model_type: 'qwen3' })[0]).toEqual({
      source: 0,
      heads: 8,
      kvHeads: 4,
      headDim: 128,
      ffn: 172,
      qkNorm: 'head',
    });
    expect(layersOf({ model_type: 'qwen3', head_dim: 16, attention_bias: true })[0]).toMatchObject({
      headDim: 16,
      biases: ['qBias', 'kBias', 'vBias', 'oBias'],
    });
  });
});
