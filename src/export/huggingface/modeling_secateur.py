# SPDX-License-Identifier: MIT
"""Loads a pruned model whose blocks differ: AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True).

transformers builds every block of a model from the same numbers. `SecateurForCausalLM` is the family's own class
whose linear layers are replaced by layers of each block's sizes. These sizes stand in config.json:

    "secateur": {
      "version": 1,
      "model_type": the family, such as "llama",
      "num_attention_heads": [query heads of block 0, of block 1, ...]; 0 where the attention is removed,
      "num_key_value_heads": [...],
      "intermediate_size":   [...]; 0 where the MLP is removed,
      "biases": [["o_proj", "down_proj"], [], ...]   which projections of each block add a bias
    }

All other fields mean what they mean for the family. Everything else (rotary embedding, masks, cache, generation)
is transformers' own. Tested with transformers 5.18. The two lines below name the family's classes.
"""

import torch
from torch import nn
from transformers import LlamaConfig as FamilyConfig
from transformers import LlamaForCausalLM as FamilyForCausalLM


class SecateurConfig(FamilyConfig):
    model_type = "secateur"

    def validate_architecture(self):
        """The family may want the hidden size to be a multiple of the heads. Here heads have a size of their own."""


class NoAttention(nn.Module):
    """In place of a removed attention: adds nothing.

    The cache counts the tokens of a block by its keys, and the first block answers for all. So the removed attention
    leaves one empty channel per token there.
    """

    def __init__(self, layer_idx):
        super().__init__()
        self.layer_idx = layer_idx

    def forward(self, hidden_states, past_key_values=None, **_):
        if past_key_values is not None:
            empty = hidden_states.new_zeros(hidden_states.shape[0], 1, hidden_states.shape[1], 1)
            past_key_values.update(empty, empty, self.layer_idx)
        return torch.zeros_like(hidden_states), None


class NoMlp(nn.Module):
    """In place of a removed MLP: adds nothing."""

    def forward(self, hidden_states):
        return torch.zeros_like(hidden_states)


# Norms around a sub-block, by their names in any family. A norm that belongs to a removed sub-block has no weights.
NORMS = {
    "attention": ("input_layernorm", "post_attention_layernorm"),
    "mlp": ("pre_feedforward_layernorm", "post_feedforward_layernorm"),
}


def norms_of(block, sub_block):
    """Names of the norms before and behind a sub-block. LLaMA calls the MLP's norm post_attention_layernorm."""
    if hasattr(block, "post_feedforward_layernorm"):
        return [name for name in NORMS[sub_block] if hasattr(block, name)]
    return ["input_layernorm"] if sub_block == "attention" else ["post_attention_layernorm"]


def remove(block, sub_block, attribute, stand_in):
    setattr(block, attribute, stand_in)
    for name in norms_of(block, sub_block):
        setattr(block, name, nn.Identity())


def resize(block, layer_idx, config, heads, kv_heads, neurons, biases):
    """Gives the linear layers of a block its sizes, or removes its attention or MLP."""
    hidden = config.hidden_size

    def linear(owner, name, inputs, outputs):
        old = getattr(owner, name)
        new = nn.Linear(inputs, outputs, bias=name in biases, dtype=old.weight.dtype, device=old.weight.device)
        setattr(owner, name, new)

    if heads == 0:
        remove(block, "attention", "self_attn", NoAttention(layer_idx))
    else:
        attention = block.self_attn
        size = attention.head_dim
        attention.num_key_value_groups = heads // kv_heads
        linear(attention, "q_proj", hidden, heads * size)
        linear(attention, "k_proj", hidden, kv_heads * size)
        linear(attention, "v_proj", hidden, kv_heads * size)
        linear(attention, "o_proj", heads * size, hidden)
    if neurons == 0:
        remove(block, "mlp", "mlp", NoMlp())
    else:
        mlp = block.mlp
        mlp.intermediate_size = neurons
        linear(mlp, "gate_proj", hidden, neurons)
        linear(mlp, "up_proj", hidden, neurons)
        linear(mlp, "down_proj", neurons, hidden)


class SecateurForCausalLM(FamilyForCausalLM):
    config_class = SecateurConfig

    def __init__(self, config):
        super().__init__(config)
        sizes = config.secateur
        for index, block in enumerate(self.model.layers):
            resize(
                block,
                index,
                config,
                sizes["num_attention_heads"][index],
                sizes["num_key_value_heads"][index],
                sizes["intermediate_size"][index],
                sizes["biases"][index],
            )
