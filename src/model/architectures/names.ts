/** @file Tensor names of LLaMA's layout, as transformers writes it for every family that follows it. */
import type { LayerRole, ModelRole } from '../shape';

export const layerNames: Readonly<Record<LayerRole, string>> = {
  attnNorm: 'model.layers.{layer}.input_layernorm.weight',
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
  mlpNorm: 'model.layers.{layer}.post_attention_layernorm.weight',
  gateProj: 'model.layers.{layer}.mlp.gate_proj.weight',
  upProj: 'model.layers.{layer}.mlp.up_proj.weight',
  downProj: 'model.layers.{layer}.mlp.down_proj.weight',
};

export const modelNames: Readonly<Record<ModelRole, string>> = {
  embed: 'model.embed_tokens.weight',
  finalNorm: 'model.norm.weight',
  lmHead: 'lm_head.weight',
};
