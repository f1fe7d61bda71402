/** @file Damaged config.json files of every family: a typed refusal, or a shape that makes sense. */
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { parseJson } from '../../src/io/json';
import { type ModelConfig, parseConfig } from '../../src/model/config';
import { modelParameters } from '../../src/model/count';
import type { Random } from '../../src/numerics/random';
import { forEachMutation, fuzzTimeout, mutateJson, mutateText, pick, pythonJson } from './mutate';

const sizes = {
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  bos_token_id: 1,
  eos_token_id: [2, 3],
  tie_word_embeddings: true,
};
const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
const yarn = { type: 'yarn', factor: 4, beta_fast: 32, beta_slow: 1, attention_factor: 1.2, truncate: false };
const layer_types = ['sliding_attention', 'full_attention', 'full_attention', 'sliding_attention', 'full_attention'];
const byType = { full_attention: { rope_type: 'linear', factor: 8 }, sliding_attention: { rope_theta: 500 } };
const gemma3 = { ...sizes, model_type: 'gemma3_text', head_dim: 16, query_pre_attn_scalar: 16, sliding_window: 16 };
const files: readonly object[] = [
  {
    ...sizes,
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    rope_theta: 5e5,
    rope_scaling: llama3,
    attention_bias: true,
    mlp_bias: true,
  },
  {
    ...sizes,
    model_type: 'mistral',
    sliding_window: 32,
    rope_parameters: { rope_theta: 1e4, ...yarn },
    hidden_act: 'silu',
  },
  { ...sizes, model_type: 'qwen2', use_sliding_window: true, sliding_window: 16, max_window_layers: 2 },
  { ...sizes, model_type: 'qwen3', head_dim: 16, layer_types, use_sliding_window: true, sliding_window: 16 },
  { ...sizes, model_type: 'gemma2', head_dim: 16, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
  { ...gemma3, sliding_window_pattern: 3, rope_local_base_freq: 500, rope_parameters: byType },
  {
    model_type: 'gemma3',
    architectures: ['Gemma3ForConditionalGeneration'],
    eos_token_id: [1, 106],
    text_config: gemma3,
  },
];

/** What every accepted configuration promises, said again. */
function makesSense({ shape, eosTokenIds, bosTokenId, notes }: ModelConfig): void {
  const whole = (value: number, least: number, most: number) => {
    expect(Number.isInteger(value) && value >= least && value <= most).toBe(true);
  };
  const numbers = (value: unknown): number[] =>
    typeof value === 'number'
      ? [value]
      : typeof value === 'object' && value
        ? Object.values(value).flatMap(numbers)
        : [];
  expect(numbers(shape).every(Number.isFinite)).toBe(true);
  whole(shape.vocab, 1, 2 ** 22);
  whole(shape.hidden, 1, 2 ** 16);
  whole(shape.maxPositions, 1, 2 ** 27);
  expect(shape.ropeTheta).toBeGreaterThan(1);
  expect(shape.normEps).toBeGreaterThanOrEqual(0);
  expect(typeof shape.tiedHead).toBe('boolean');
  whole(shape.layers.length, 1, 1024);
  shape.layers.forEach(({ source, heads, kvHeads, headDim, ffn, window, rope }, at) => {
    expect(source).toBe(at);
    whole(kvHeads, 1, 1024);
    whole(heads / kvHeads, 1, 1024);
    whole(headDim / 2, 1, 512);
    whole(ffn, 1, 2 ** 20);
    if (window !== undefined) whole(window, 1, 2 ** 27);
    if (rope?.scaling && 'factor' in rope.scaling) expect(rope.scaling.factor).toBeGreaterThan(0);
  });
  expect(Number.isSafeInteger(modelParameters(shape))).toBe(true);
  for (const id of [...eosTokenIds, bosTokenId ?? 0]) whole(id, 0, shape.vocab - 1);
  for (const note of notes) expect(note.length).toBeLessThan(400);
}

function check(text: string): boolean {
  try {
    makesSense(parseConfig(parseJson(text, 'config.json', 'bad-config')));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    expect(['bad-config', 'unsupported-architecture', 'missing-file']).toContain(thrown.code);
    expect(thrown.message.length).toBeLessThan(600);
    expect(thrown.remedy).not.toBe('');
    return false;
  }
}

const mutations: readonly [string, (random: Random, file: object) => string][] = [
  ['values', (random, file) => pythonJson(mutateJson(random, file))],
  ['text', (random, file) => mutateText(random, JSON.stringify(file))],
];

test.each(mutations)(
  'config.json with other %s',
  async (_, mutate) => {
    for (const file of files) expect(check(JSON.stringify(file))).toBe(true);
    let taken = 0;
    await forEachMutation((random) => {
      if (check(mutate(random, pick(random, files)))) taken += 1;
    });
    expect(taken).toBeGreaterThan(0);
  },
  fuzzTimeout,
);
