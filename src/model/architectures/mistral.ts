/** @file Mistral (Jiang et al., 2023): LLaMA with a sliding window in every layer, which later versions leave out. */
import type { Architecture } from './architecture';
import { layerNames, modelNames, siluActivation } from './names';

export const mistral: Architecture = {
  family: 'mistral',
  className: 'MistralForCausalLM',
  defaults: { max_position_embeddings: 131072, num_key_value_heads: 8, sliding_window: 4096 },
  activation: siluActivation,
  biases: { roles: [], when: 'always' },
  windows: 'every-layer',
  rope: { theta: 10000 },
  layer: layerNames,
  model: modelNames,
};
