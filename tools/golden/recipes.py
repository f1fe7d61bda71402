"""What the golden checkpoints are: their shapes, seeds and the strength of each block."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from llama import ATTENTION, MLP, NORMS, QK_NORMS, Config, Llama
from safetensors import decode, encode


@dataclass(frozen=True)
class Recipe:
    """A random checkpoint. `gains[l]` scales what block l writes into the residual stream, so that blocks differ."""

    name: str
    seed: int
    dtype: str
    shards: int
    tokens: int  # entries of the tokenizer; at most the vocabulary, which may be padded
    gains: tuple
    config: Config
    family: str = "llama"  # model_type
    fields: dict = field(default_factory=dict)  # further fields of config.json, and those that differ from LLaMA's
    biases: tuple = ()  # projections that have one
    few_biases: dict = field(default_factory=dict)  # by layer: the projections that have one there instead


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "beta_fast": 8.0,
    "beta_slow": 0.5,
}
LINEAR = {"rope_type": "linear", "factor": 8.0}
CLASSES = {
    "llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3",
    "gemma": "Gemma", "gemma2": "Gemma2", "gemma3_text": "Gemma3", "olmo2": "Olmo2",
}  # fmt: skip

RECIPES = (
    # One float32 file, tied head, head dimension 8: the rotary embedding cannot be fused into GroupQueryAttention.
    Recipe(
        "tiny-a", 11, "F32", 1, 97, (1.6, 0.5, 0.9, 0.25),
        Config(hidden=48, layers=4, heads=6, kv_heads=2, head_dim=8, ffn=44, vocab=97, eps=1e-5, theta=10000.0, tied=True),
    ),
    # Three float16 shards, separate head, hidden ≠ heads · headDim, a vocabulary that is larger than its tokenizer.
    Recipe(
        "tiny-b", 22, "F16", 3, 109, (0.5, 1.4, 0.9),
        Config(hidden=64, layers=3, heads=6, kv_heads=2, head_dim=16, ffn=42, vocab=113, eps=1e-6, theta=500000.0, tied=False),
    ),
    # One bfloat16 file, odd rows (43), one key/value head, and depth enough for the rule that protects six blocks.
    Recipe(
        "tiny-c", 33, "BF16", 1, 101, (1.5, 0.4, 1.0, 0.6, 0.3, 0.8, 0.2, 1.1),
        Config(hidden=24, layers=8, heads=3, kv_heads=1, head_dim=16, ffn=43, vocab=101, eps=1e-5, theta=10000.0, tied=True),
    ),
    # Llama 3.1: in the original context of 64 tokens the pairs make 10 turns, 3, 1 and fewer, so that all three bands occur.
    Recipe(
        "tiny-llama3", 44, "BF16", 1, 101, (1.4, 0.5, 0.9, 0.7),
        Config(
            hidden=32, layers=4, heads=4, kv_heads=2, head_dim=16, ffn=40, vocab=101, eps=1e-5, theta=10000.0, tied=False,
            scaling=LLAMA3,
        ),
        fields={"rope_scaling": LLAMA3},
    ),
    # Mistral: a window of 12 in every layer, much shorter than the calibration windows.
    Recipe(
        "tiny-mistral", 55, "F16", 1, 97, (1.2, 0.6, 1.0, 0.4),
        Config(
            hidden=40, layers=4, heads=6, kv_heads=2, head_dim=8, ffn=44, vocab=97, eps=1e-5, theta=10000.0, tied=False,
            windows=(12, 12, 12, 12),
        ),
        family="mistral",
        fields={"sliding_window": 12},
    ),
    # Qwen2: biases on queries, keys and values, tied head, a window of 9 in the upper two layers.
    Recipe(
        "tiny-qwen2", 66, "F32", 1, 97, (1.3, 0.7, 0.4, 1.0),
        Config(
            hidden=32, layers=4, heads=4, kv_heads=2, head_dim=8, ffn=36, vocab=97, eps=1e-6, theta=1000000.0, tied=True,
            windows=(None, None, 9, 9),
        ),
        family="qwen2",
        fields={"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 2},
        biases=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    ),
    # Qwen3: queries and keys normed head by head, heads · channels ≠ hidden, and YaRN, as its authors stretch it.
    Recipe(
        "tiny-qwen3", 77, "BF16", 1, 101, (1.2, 0.5, 0.9),
        Config(
            hidden=36, layers=3, heads=4, kv_heads=2, head_dim=16, ffn=40, vocab=101, eps=1e-6, theta=10000.0, tied=True,
            scaling=YARN, qk_norm="head",
        ),
        family="qwen3",
        fields={"rope_scaling": YARN},
    ),
    # Gemma 1: one key/value head, GELU, norm weights around 0, √hidden on the embedding.
    Recipe(
        "tiny-gemma", 88, "BF16", 1, 97, (5.0, 2.0, 3.5),
        Config(
            hidden=32, layers=3, heads=4, kv_heads=1, head_dim=8, ffn=40, vocab=97, eps=1e-6, theta=10000.0, tied=True,
            gelu=True, norm_offset=1.0, embed_scale=math.sqrt(32),
        ),
        family="gemma",
    ),
    # Gemma 2: norms before and behind, caps low enough to bend scores and logits, a window of 10 in every other layer.
    Recipe(
        "tiny-gemma2", 99, "F32", 1, 97, (4.0, 1.5, 2.5, 1.0),
        Config(
            hidden=32, layers=4, heads=4, kv_heads=2, head_dim=8, ffn=36, vocab=97, eps=1e-6, theta=10000.0, tied=True,
            gelu=True, norm_offset=1.0, embed_scale=math.sqrt(32), norms="both", windows=(10, None, 10, None),
            query_scalar=20.0, score_cap=2.0, logit_cap=5.0,
        ),
        family="gemma2",
        fields={
            "query_pre_attn_scalar": 20, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 5.0, "sliding_window": 10,
        },
    ),
    # Gemma 3: heads normed, two layers with a window of 8 and a theta of their own for one that is scaled.
    Recipe(
        "tiny-gemma3", 110, "BF16", 1, 101, (4.0, 1.5, 2.5, 1.0, 3.0, 2.0),
        Config(
            hidden=24, layers=6, heads=3, kv_heads=1, head_dim=16, ffn=36, vocab=101, eps=1e-6, theta=50000.0, tied=True,
            gelu=True, norm_offset=1.0, embed_scale=math.sqrt(24), norms="both", windows=(8, 8, None, 8, 8, None),
            query_scalar=24.0, qk_norm="head", scaling=LINEAR, window_theta=500.0,
        ),
        family="gemma3_text",
        fields={
            "query_pre_attn_scalar": 24, "sliding_window": 8, "sliding_window_pattern": 3, "rope_scaling": LINEAR,
            "rope_local_base_freq": 500.0,
        },
    ),
    # OLMo 2: norms behind attention and MLP only, queries and keys normed over all heads.
    Recipe(
        "tiny-olmo2", 121, "F16", 1, 97, (1.5, 0.5, 1.0, 0.7),
        Config(
            hidden=32, layers=4, heads=6, kv_heads=2, head_dim=8, ffn=40, vocab=97, eps=1e-6, theta=500000.0, tied=False,
            norms="behind", qk_norm="all",
        ),
        family="olmo2",
    ),
    # LLaMA with a bias on every projection; the last layer has only those that FLAP leaves behind where it removes channels.
    Recipe(
        "tiny-biases", 132, "BF16", 1, 97, (1.1, 0.5, 0.9, 0.7),
        Config(hidden=40, layers=4, heads=4, kv_heads=2, head_dim=8, ffn=37, vocab=97, eps=1e-5, theta=10000.0, tied=True),
        fields={"attention_bias": True, "mlp_bias": True},
        biases=(*ATTENTION, *MLP),
        few_biases={3: ("self_attn.o_proj", "mlp.down_proj")},
    ),
)  # fmt: skip


def config_json(recipe: Recipe) -> dict:
    """The configuration in Hugging Face's form."""
    c = recipe.config
    return {
        "architectures": [f"{CLASSES[recipe.family]}ForCausalLM"],
        "model_type": recipe.family,
        "hidden_size": c.hidden,
        "intermediate_size": c.ffn,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads,
        "head_dim": c.head_dim,
        "vocab_size": c.vocab,
        "max_position_embeddings": 256,
        "rms_norm_eps": c.eps,
        "rope_theta": c.theta,
        **({"hidden_activation": "gelu_pytorch_tanh"} if c.gelu else {"hidden_act": "silu"}),
        "tie_word_embeddings": c.tied,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[recipe.dtype],
        **recipe.fields,
    }


def draw(recipe: Recipe) -> dict:
    """Tensors by Hugging Face name in checkpoint order, each already rounded to the stored type, as float64."""
    c, random = recipe.config, np.random.Generator(np.random.PCG64(recipe.seed))

    def stored(values):
        return decode(encode(values, recipe.dtype), recipe.dtype, list(values.shape))

    def matrix(out, inner, scale):
        return stored(random.standard_normal((out, inner)) * scale / np.sqrt(inner))

    def norm(size, gain=1):
        return stored(gain * (1 + 0.2 * random.standard_normal(size)) - c.norm_offset)

    def vector(size):
        return stored(0.5 * random.standard_normal(size))

    before, behind = NORMS[c.norms]
    q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim
    tensors = {"model.embed_tokens.weight": matrix(c.vocab, c.hidden, 2.4)}
    for layer, gain in enumerate(recipe.gains):
        name = lambda part, layer=layer: f"model.layers.{layer}.{part}.weight"
        bias = lambda part, layer=layer: f"model.layers.{layer}.{part}.bias"
        if before[0]:
            tensors[name(before[0])] = norm(c.hidden)
        tensors[name("self_attn.q_proj")] = matrix(q, c.hidden, 1.5)
        tensors[name("self_attn.k_proj")] = matrix(kv, c.hidden, 1.5)
        tensors[name("self_attn.v_proj")] = matrix(kv, c.hidden, 1.0)
        tensors[name("self_attn.o_proj")] = matrix(c.hidden, q, gain)
        biased = recipe.few_biases.get(layer, recipe.biases)
        for projection in filter(biased.__contains__, ATTENTION):
            tensors[bias(projection)] = vector(len(tensors[name(projection)]))
        if c.qk_norm:
            for part, size in zip(QK_NORMS, (q, kv) if c.qk_norm == "all" else (c.head_dim, c.head_dim)):
                tensors[name(part)] = norm(size)
        # A norm behind a sub-block undoes the gain of its matrix, and so has that gain itself.
        if behind[0]:
            tensors[name(behind[0])] = norm(c.hidden, gain)
        if before[1]:
            tensors[name(before[1])] = norm(c.hidden)
        tensors[name("mlp.gate_proj")] = matrix(c.ffn, c.hidden, 1.5)
        tensors[name("mlp.up_proj")] = matrix(c.ffn, c.hidden, 1.5)
        tensors[name("mlp.down_proj")] = matrix(c.hidden, c.ffn, gain)
        for projection in filter(biased.__contains__, MLP):
            tensors[bias(projection)] = vector(len(tensors[name(projection)]))
        if behind[1]:
            tensors[name(behind[1])] = norm(c.hidden, gain)
    tensors["model.norm.weight"] = norm(c.hidden)
    if not c.tied:
        tensors["lm_head.weight"] = matrix(c.vocab, c.hidden, 2.4)
    return tensors


def build(recipe: Recipe, tensors: dict) -> Llama:
    return Llama(recipe.config, {name: torch.tensor(values) for name, values in tensors.items()})


def sample(recipe: Recipe, model: Llama, windows: int, length: int) -> torch.Tensor:
    """Windows [windows, length] that the model writes itself: on its own text every removal costs something."""
    random = np.random.Generator(np.random.PCG64(recipe.seed + 1000))
    tokens = torch.ones(windows, 1, dtype=torch.long)  # <s>
    while tokens.shape[1] < length:
        with torch.no_grad():
            cumulative = model.logits(tokens)[:, -1].softmax(-1).cumsum(-1)
        drawn = torch.tensor(random.random((windows, 1)))
        tokens = torch.cat((tokens, (cumulative < drawn).sum(-1, keepdim=True).clamp(max=recipe.config.vocab - 1)), 1)
    return tokens
