/**
 * @file Gemma 3 (Kamath et al., 2025): norms of heads in place of Gemma 2's cap on scores, five layers with a window for
 * one without, and a rotary embedding for each of the two. Larger ones also see: of these we run the language model.
 */
import type { Architecture } from './architecture';
import { geluActivation, modelNames, sandwichNames } from './names';

export const gemma3Text: Architecture = {
  family: 'gemma3_text',
  className: 'Gemma3ForCausalLM',
  defaults: {
    vocab_size: 262208,
    max_position_embeddings: 131072,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    sliding_window_pattern: 6,
    tie_word_embeddings: true,
    bos_token_id: 2,
    eos_token_id: 1,
  },
  // transformers parses a cap on scores for this family, too, and then does not apply it.
  reads: ['query_pre_attn_scalar', 'final_logit_softcapping'],
  activation: geluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  windows: 'all-but-each-nth',
  rope: { theta: 1e6, windowTheta: 10000 },
  qkNorm: 'head',
  normPlacement: 'both',
  normOffset: 1,
  scaledEmbedding: true,
  layer: sandwichNames,
  model: modelNames,
};

/** The same beside a vision tower, whose weights no role asks for. */
export const gemma3: Architecture = {
  ...gemma3Text,
  family: 'gemma3',
  className: 'Gemma3ForConditionalGeneration',
  textField: 'text_config',
  layer: below(gemma3Text.layer),
  model: below(gemma3Text.model),
};

function below<Names extends Readonly<Record<string, string>>>(names: Names): Names {
  const entries = Object.entries(names).map(([role, name]) => [role, `language_model.${name}`]);
  return Object.fromEntries(entries) as Names;
}
