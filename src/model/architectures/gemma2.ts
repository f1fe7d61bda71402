/** @file Gemma 2 (Rivière et al., 2024): norms on inputs and outputs, soft caps, a window in every other layer. */
import type { Architecture } from './architecture';
import { geluActivation, modelNames, sandwichNames } from './names';

export const gemma2: Architecture = {
  family: 'gemma2',
  className: 'Gemma2ForCausalLM',
  defaults: {
    max_position_embeddings: 8192,
    num_key_value_heads: 4,
    head_dim: 256,
    query_pre_attn_scalar: 256,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 4096,
    tie_word_embeddings: true,
    bos_token_id: 2,
    eos_token_id: 1,
  },
  reads: ['query_pre_attn_scalar', 'attn_logit_softcapping', 'final_logit_softcapping'],
  activation: geluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  windows: 'every-other-layer',
  rope: { theta: 10000 },
  normPlacement: 'both',
  normOffset: 1,
  scaledEmbedding: true,
  layer: sandwichNames,
  model: modelNames,
};
