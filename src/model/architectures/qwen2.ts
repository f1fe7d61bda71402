/** @file Qwen2 and Qwen2.5 (Yang et al., 2024): LLaMA with biases on queries, keys and values. */
import type { Architecture } from './architecture';
import { layerNames, modelNames, siluActivation } from './names';

export const qwen2: Architecture = {
  family: 'qwen2',
  className: 'Qwen2ForCausalLM',
  defaults: {
    max_position_embeddings: 32768,
    num_key_value_heads: 32,
    sliding_window: 4096,
    max_window_layers: 28,
  },
  activation: siluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias'], when: 'always' },
  windows: 'chosen-layers',
  rope: { theta: 10000 },
  layer: layerNames,
  model: modelNames,
};
