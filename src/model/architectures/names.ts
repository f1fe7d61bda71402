/** @file What families share: tensor names of LLaMA's layout, as transformers writes it, and its activation. */
import type { ModelRole } from '../shape';
import type { ActivationRule, LayerNames } from './architecture';

/** Weights of attention and MLP without the norms around them, which families place and name in their own ways. */
const innerNames = {
  qProj: 'model.layers.{layer}.self_attn.q_proj.weight',
  kProj: 'model.layers.{layer}.self_attn.k_proj.weight',
  vProj: 'model.layers.{layer}.self_attn.v_proj.weight',
  oProj: 'model.layers.{layer}.self_attn.o_proj.weight',
  qBias: 'model.layers.{layer}.self_attn.q_proj.bias',
  kBias: 'model.layers.{layer}.self_attn.k_proj.bias',
  vBias: 'model.layers.{layer}.self_attn.v_proj.bias',
  oBias: 'model.layers.{layer}.self_attn.o_proj.bias',
  qNorm: 'model.layers.{layer}.self_attn.q_norm.weight',
  kNorm: 'model.layers.{layer}.self_attn.k_norm.weight',
  gateProj: 'model.layers.{layer}.mlp.gate_proj.weight',
  upProj: 'model.layers.{layer}.mlp.up_proj.weight',
  downProj: 'model.layers.{layer}.mlp.down_proj.weight',
  gateBias: 'model.layers.{layer}.mlp.gate_proj.bias',
  upBias: 'model.layers.{layer}.mlp.up_proj.bias',
  downBias: 'model.layers.{layer}.mlp.down_proj.bias',
} satisfies LayerNames;

/** Norms on the inputs of attention and MLP. The MLP's is named after what it comes behind. */
export const layerNames: LayerNames = {
  ...innerNames,
  attnNorm: 'model.layers.{layer}.input_layernorm.weight',
  mlpNorm: 'model.layers.{layer}.post_attention_layernorm.weight',
};

/** Norms on the outputs of attention and MLP. LLaMA's name for the norm before the MLP is here the one behind the attention. */
export const postNormNames: LayerNames = {
  ...innerNames,
  postAttnNorm: 'model.layers.{layer}.post_attention_layernorm.weight',
  postMlpNorm: 'model.layers.{layer}.post_feedforward_layernorm.weight',
};

/** Norms on inputs and outputs. */
export const sandwichNames: LayerNames = {
  ...postNormNames,
  attnNorm: 'model.layers.{layer}.input_layernorm.weight',
  mlpNorm: 'model.layers.{layer}.pre_feedforward_layernorm.weight',
};

export const modelNames: Readonly<Record<ModelRole, string>> = {
  embed: 'model.embed_tokens.weight',
  finalNorm: 'model.norm.weight',
  lmHead: 'lm_head.weight',
};

/** The activation of LLaMA and of most families after it. */
export const siluActivation: ActivationRule = { fields: ['hidden_act'], unsaid: 'silu' };

/** GELU by its tanh formula. */
export const geluActivation: ActivationRule = { fields: ['hidden_activation'], unsaid: 'gelu_tanh' };
