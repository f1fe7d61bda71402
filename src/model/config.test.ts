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
  ['rope_parameters', { full_attention: { rope_theta: 1e4 } }, 'rope_parameters of full_attention'],
  ['hidden_act', 'gelu', 'hidden_act "gelu"; Secateur supports \'silu\''],
  ['hidden_act', 'constructor', 'constructor'],
  ['use_bidirectional_attention', true, 'use_bidirectional_attention true'],
  ['quantization_config', { quant_method: 'gptq' }, 'gptq'],
  ['model_type', 'mixtral', "'mixtral'; supported: 'llama', 'mistral', 'qwen2', 'qwen3', 'gemma', "],
  ['model_type', 'gpt_neox', "'gpt_neox' (attention and MLP run in parallel on the same input, and"],
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
  ['rope_scaling', { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 }, 'high_freq_factor'],
  ['rope_scaling', { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 0.5 }, 'original_max_position'],
  ['max_position_embeddings', null, 'max_position_embeddings'],
  ['layer_types', ['full_attention'], 'layer_types: expected one for each of the 5 layers, got 1'],
  ['tie_word_embeddings', 1, 'tie_word_embeddings'],
  ['attention_bias', 'yes', 'attention_bias'],
  ['mlp_bias', 'yes', 'mlp_bias'],
  ['hidden_act', 7, 'hidden_act: expected a name, got 7'],
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

  test('LLaMA with mlp_bias has three more biases in every layer; other families ignore that field, and say so', () => {
    const all = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'];
    expect(layersOf({ mlp_bias: true }).map(({ biases }) => biases)).toEqual(Array(5).fill(all.slice(4)));
    expect(layersOf({ mlp_bias: true, attention_bias: true })[4]!.biases).toEqual(all);
    for (const mlp_bias of [false, null, undefined]) expect(layersOf({ mlp_bias })[0]).not.toHaveProperty('biases');
    for (const model_type of ['mistral', 'qwen2', 'qwen3', 'gemma', 'gemma2', 'gemma3_text', 'olmo2']) {
      const { shape, notes } = parseConfig({ ...good, model_type, mlp_bias: true });
      expect(shape.layers).toEqual(parseConfig({ ...good, model_type }).shape.layers);
      expect(notes.filter((note) => note.includes('mlp_bias true is ignored'))).toHaveLength(1);
      expect(() => parseConfig({ ...good, model_type, mlp_bias: 'x' })).not.toThrow();
    }
  });

  test('Mistral has its window in every layer, unless the file says null', () => {
    const mistral = { model_type: 'mistral' };
    expect(windowsOf(mistral)).toEqual(Array(5).fill(4096));
    expect(windowsOf({ ...mistral, sliding_window: 16 })).toEqual(Array(5).fill(16));
    expect(windowsOf({ ...mistral, sliding_window: null })).toEqual(Array(5).fill(undefined));
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

  const gelu = { normPlacement: 'both', activation: 'gelu_tanh' } as const;

  test('Gemma has GELU, norms around 0, √hidden on the embedding, and a tied head of its own accord', () => {
    const { tie_word_embeddings: _, hidden_act: __, bos_token_id: ___, ...rest } = good;
    const gemma = { ...rest, model_type: 'gemma', num_key_value_heads: 1, head_dim: 16 };
    const { shape, bosTokenId } = parseConfig(gemma);
    expect(shape).toMatchObject({ normOffset: 1, embedScale: 8, tiedHead: true, ropeTheta: 500000 });
    expect(shape).not.toHaveProperty('logitSoftcap');
    expect(bosTokenId).toBe(2);
    expect(shape.layers[4]).toEqual({
      source: 4,
      heads: 8,
      kvHeads: 1,
      headDim: 16,
      ffn: 172,
      activation: 'gelu_tanh',
    });
    const activation = (fields: object) => layersOf({ ...gemma, ...fields })[0]!.activation;
    expect(activation({ hidden_act: 'gelu' })).toBe('gelu_tanh');
    expect(activation({ hidden_act: 'gelu', hidden_activation: null })).toBe('gelu_tanh');
  });

  test('Gemma 2 caps scores and logits and has a window in every other layer', () => {
    const gemma2 = { model_type: 'gemma2', head_dim: 16, sliding_window: 16, query_pre_attn_scalar: 4 };
    const { shape } = parseConfig({ ...good, ...gemma2 });
    expect(shape).toMatchObject({ normOffset: 1, embedScale: 8, logitSoftcap: 30 });
    expect(shape.layers[0]).toEqual({
      source: 0,
      heads: 8,
      kvHeads: 4,
      headDim: 16,
      ffn: 172,
      window: 16,
      attnScale: 1 / 2,
      scoreSoftcap: 50,
      ...gelu,
    });
    expect(windowsOf(gemma2)).toEqual([16, undefined, 16, undefined, 16]);
    const layer_types = ['full_attention', ...Array(4).fill('sliding_attention')];
    expect(windowsOf({ ...gemma2, layer_types })).toEqual([undefined, 16, 16, 16, 16]);
    expect(() => windowsOf({ ...gemma2, sliding_window: null })).toThrow('layer 0 is "sliding_attention"');
    const uncapped = { ...gemma2, attn_logit_softcapping: null, final_logit_softcapping: null, head_dim: null };
    const bare = parseConfig({ ...good, ...uncapped, query_pre_attn_scalar: 8 }).shape;
    expect(bare).not.toHaveProperty('logitSoftcap');
    expect(bare.layers[1]).toEqual({ source: 1, heads: 8, kvHeads: 4, headDim: 8, ffn: 172, ...gelu });
    expect(() => parseConfig({ ...good, ...gemma2, attn_logit_softcapping: -1 })).toThrow('attn_logit_softcapping');
  });

  describe('Gemma 3', () => {
    const { rope_theta: _, ...rest } = good;
    const gemma3 = { ...rest, model_type: 'gemma3_text', sliding_window: 16, sliding_window_pattern: 3 };
    const linear = { kind: 'linear', factor: 8 } as const;
    const local = { window: 16, rope: { theta: 10000 } };
    const every = { heads: 8, kvHeads: 4, headDim: 256, ffn: 172, qkNorm: 'head', ...gelu };

    test('norms heads, and turns by its own θ where there is a window', () => {
      const { shape } = parseConfig(gemma3);
      expect(shape).toMatchObject({ ropeTheta: 1e6, normOffset: 1, embedScale: 8 });
      expect(shape).not.toHaveProperty('logitSoftcap');
      expect(shape.layers[1]).toEqual({ source: 1, ...every, ...local });
      expect(shape.layers[2]).toEqual({ source: 2, ...every });
      expect(shape.layers.map(({ window }) => window)).toEqual([16, 16, undefined, 16, 16]);
    });

    test('scales the embedding of layers without a window only, in the old words and in the new', () => {
      const rope_scaling = { rope_type: 'linear', factor: 8 };
      const old = parseConfig({ ...gemma3, rope_theta: 1e5, rope_scaling, rope_local_base_freq: 500 }).shape;
      expect(old.layers[1]!.rope).toEqual({ theta: 500 });
      expect(old.layers[2]!.rope).toEqual({ theta: 1e5, scaling: linear });
      const rope_parameters = {
        full_attention: { rope_type: 'linear', factor: 8, rope_theta: 1e5 },
        sliding_attention: { rope_type: 'default', rope_theta: 500 },
      };
      expect(parseConfig({ ...gemma3, rope_parameters }).shape).toEqual(old);
      const half = parseConfig({ ...gemma3, rope_parameters: { full_attention: rope_scaling } }).shape;
      expect([half.layers[1]!.rope, half.layers[2]!.rope]).toEqual([{ theta: 10000 }, { theta: 1e6, scaling: linear }]);
    });

    test('with eyes keeps its language model in text_config', () => {
      const text_config = {
        model_type: 'gemma3_text',
        hidden_size: 2560,
        intermediate_size: 10240,
        num_hidden_layers: 34,
        rope_scaling: { factor: 8.0, rope_type: 'linear' },
        sliding_window: 1024,
      };
      const whole = {
        architectures: ['Gemma3ForConditionalGeneration'],
        model_type: 'gemma3',
        eos_token_id: [1, 106],
        text_config,
        vision_config: { hidden_size: 1152 },
      };
      const { shape, architecture, bosTokenId, eosTokenIds } = parseConfig(whole);
      expect({ architecture, bosTokenId, eosTokenIds }).toEqual({
        architecture: 'Gemma3ForConditionalGeneration',
        bosTokenId: 2,
        eosTokenIds: [1, 106],
      });
      expect(shape).toMatchObject({ family: 'gemma3', vocab: 262208, hidden: 2560, tiedHead: true });
      expect(shape.layers).toHaveLength(34);
      expect(shape.layers[5]).toEqual({
        source: 5,
        heads: 8,
        kvHeads: 4,
        headDim: 256,
        ffn: 10240,
        rope: { theta: 1e6, scaling: linear },
        qkNorm: 'head',
        ...gelu,
      });
      expect(shape.layers[6]).toMatchObject({ window: 1024, rope: { theta: 10000 } });
      expect(() => parseConfig({ ...whole, text_config: undefined })).toThrow('text_config: expected an object');
      expect(() => parseConfig({ ...whole, quantization_config: { quant_method: 'gptq' } })).toThrow('gptq');
    });
  });

  test('OLMo 2 norms outputs, and queries and keys over all heads', () => {
    const { rms_norm_eps: _, ...rest } = good;
    const { shape } = parseConfig({ ...rest, model_type: 'olmo2' });
    expect(shape.normEps).toBe(1e-5);
    expect(shape).not.toHaveProperty('normOffset');
    expect(shape.layers[3]).toEqual({
      source: 3,
      heads: 8,
      kvHeads: 4,
      headDim: 8,
      ffn: 172,
      qkNorm: 'all',
      normPlacement: 'post',
    });
  });
});
