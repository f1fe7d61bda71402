/** @file OLMo 2 (2025): LLaMA with its norms on the outputs, and on all queries and all keys of a token. */
import type { Architecture } from './architecture';
import { modelNames, postNormNames, siluActivation } from './names';

export const olmo2: Architecture = {
  family: 'olmo2',
  className: 'Olmo2ForCausalLM',
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
  activation: siluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  windows: 'none',
  rope: { theta: 10000 },
  qkNorm: 'all',
  normPlacement: 'post',
  layer: postNormNames,
  model: modelNames,
};
