/** @file LLaMA 1 to 3 and what shares its layout: SmolLM, TinyLlama, Vicuna. */
import type { Architecture } from './architecture';

export const llama: Architecture = {
  family: 'llama',
  className: 'LlamaForCausalLM',
  layer: {
    attnNorm: 'model.layers.{layer}.input_layernorm.weight',
    qProj: 'model.layers.{layer}.self_attn.q_proj.weight',
    kProj: 'model.layers.{layer}.self_attn.k_proj.weight',
    vProj: 'model.layers.{layer}.self_attn.v_proj.weight',
    oProj: 'model.layers.{layer}.self_attn.o_proj.weight',
    mlpNorm: 'model.layers.{layer}.post_attention_layernorm.weight',
    gateProj: 'model.layers.{layer}.mlp.gate_proj.weight',
    upProj: 'model.layers.{layer}.mlp.up_proj.weight',
    downProj: 'model.layers.{layer}.mlp.down_proj.weight',
  },
  model: {
    embed: 'model.embed_tokens.weight',
    finalNorm: 'model.norm.weight',
    lmHead: 'lm_head.weight',
  },
};
