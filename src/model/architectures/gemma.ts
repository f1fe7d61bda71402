/** @file Gemma 1 (Mesnard et al., 2024): LLaMA with GELU, a scaled embedding and norm weights around 0. */
import type { Architecture } from './architecture';
import { layerNames, modelNames } from './names';

export const gemma: Architecture = {
  family: 'gemma',
  className: 'GemmaForCausalLM',
  defaults: {
    max_position_embeddings: 8192,
    num_key_value_heads: 16,
    head_dim: 256,
    tie_word_embeddings: true,
    bos_token_id: 2,
    eos_token_id: 1,
  },
  activation: {
    fields: ['hidden_act'],
    // The first files said 'gelu' where their authors had trained with the tanh formula.
    names: { gelu: 'gelu_tanh' },
    unsaid: 'gelu_tanh',
  },
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  windows: 'none',
  rope: { theta: 10000 },
  normOffset: 1,
  scaledEmbedding: true,
  layer: layerNames,
  model: modelNames,
};
