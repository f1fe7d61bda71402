/** @file Qwen3 (2025): queries and keys are normalized head by head, in place of Qwen2's biases. */
import type { Architecture } from './architecture';
import { layerNames, modelNames, siluActivation } from './names';

export const qwen3: Architecture = {
  family: 'qwen3',
  className: 'Qwen3ForCausalLM',
  defaults: {
    max_position_embeddings: 32768,
    num_key_value_heads: 32,
    head_dim: 128,
    sliding_window: 4096,
    max_window_layers: 28,
  },
  activation: siluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  qkNorm: 'head',
  windows: 'chosen-layers',
  rope: { theta: 10000 },
  layer: layerNames,
  model: modelNames,
};
