/** @file LLaMA 1 to 3.x and what shares its layout: SmolLM, TinyLlama, Vicuna. */
import type { Architecture } from './architecture';
import { layerNames, modelNames, siluActivation } from './names';

export const llama: Architecture = {
  family: 'llama',
  className: 'LlamaForCausalLM',
  defaults: { max_position_embeddings: 2048 },
  activation: siluActivation,
  biases: { roles: ['qBias', 'kBias', 'vBias', 'oBias'], when: 'attention_bias' },
  readsMlpBias: true,
  windows: 'none',
  rope: { theta: 10000 },
  layer: layerNames,
  model: modelNames,
};
