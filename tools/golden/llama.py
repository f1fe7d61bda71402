"""A forward pass of LLaMA and its family in plain float64 PyTorch: the judge, written to be read beside the formulas.

Hidden states are [batch, seqLen, hidden]; weights keep Hugging Face's names and [out, in] layout.
"""

import math
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn.functional as F

from rope import frequencies

torch.set_default_dtype(torch.float64)

ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
MLP = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
QK_NORMS = ("self_attn.q_norm", "self_attn.k_norm")
# By the norms that a block has: those before attention and MLP, and those behind; None where there is none.
NORMS = {
    "before": (("input_layernorm", "post_attention_layernorm"), (None, None)),
    "behind": ((None, None), ("post_attention_layernorm", "post_feedforward_layernorm")),
    "both": (
        ("input_layernorm", "pre_feedforward_layernorm"),
        ("post_attention_layernorm", "post_feedforward_layernorm"),
    ),
}


@dataclass(frozen=True)
class Config:
    """The part of config.json that the arithmetic needs."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    eps: float
    theta: float
    tied: bool
    scaling: Optional[dict] = None  # rope_scaling
    windows: tuple = ()  # by layer: tokens that a query sees, itself included; None or no entry for all before it
    window_theta: Optional[float] = None  # theta of layers with a window, which are then not scaled
    qk_norm: Optional[str] = None  # "head": queries and keys are normed head by head; "all": over all heads
    norms: str = "before"  # a key of NORMS
    norm_offset: float = 0.0  # what norms add to their stored weight
    gelu: bool = False  # GELU by the tanh formula in place of SiLU
    embed_scale: float = 1.0
    query_scalar: Optional[float] = None  # scores are divided by its root; headDim when absent
    score_cap: Optional[float] = None
    logit_cap: Optional[float] = None

    @staticmethod
    def from_json(raw: dict) -> "Config":
        heads = raw["num_attention_heads"]
        return Config(
            hidden=raw["hidden_size"],
            layers=raw["num_hidden_layers"],
            heads=heads,
            kv_heads=raw["num_key_value_heads"],
            head_dim=raw.get("head_dim", raw["hidden_size"] // heads),
            ffn=raw["intermediate_size"],
            vocab=raw["vocab_size"],
            eps=raw["rms_norm_eps"],
            theta=raw["rope_theta"],
            tied=raw["tie_word_embeddings"],
        )


class Llama:
    """A configuration with its weights; `weights` may require gradients."""

    def __init__(self, config: Config, weights: dict):
        self.config = config
        self.weights = weights

    def block(self, layer: int) -> dict:
        """Projections and norms of a block, by their name within the block: what criteria count. Biases are not among them."""
        before, behind = NORMS[self.config.norms]
        norms = [name for name in (*before, *behind) if name]
        names = (*ATTENTION, *MLP, *norms, *(QK_NORMS if self.config.qk_norm else ()))
        return {name: self.weights[f"model.layers.{layer}.{name}.weight"] for name in names}

    def project(self, x, layer, name):
        """x · weightᵀ, plus the bias where the checkpoint has one."""
        y = x @ self.weights[f"model.layers.{layer}.{name}.weight"].T
        bias = self.weights.get(f"model.layers.{layer}.{name}.bias")
        return y if bias is None else y + bias

    def rmsnorm(self, x, weight):
        weight = self.config.norm_offset + weight
        return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config.eps)

    def rotate(self, x, windowed):
        """Rotary embedding of x [batch, heads, seqLen, headDim]; channel i pairs with i + headDim/2."""
        c, half = self.config, self.config.head_dim // 2
        theta, scaling = (c.window_theta, None) if windowed and c.window_theta else (c.theta, c.scaling)
        frequency, factor = frequencies(theta, c.head_dim, scaling)
        angle = torch.arange(x.shape[2])[:, None] * frequency[None, :]
        cos, sin = factor * angle.cos(), factor * angle.sin()
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def attention(self, x, layer, w, tap=None):
        """Causal attention with grouped query heads; query head i reads key/value head i // (heads / kvHeads).

        With a window of n tokens, query i sees the keys i − n + 1 … i. The projections' rows say how many heads there are: a
        pruned layer has fewer than the configuration says.
        """
        c = self.config
        window = c.windows[layer] if c.windows else None
        batch, length, _ = x.shape
        split = lambda y: y.view(batch, length, -1, c.head_dim).transpose(1, 2)
        q, k, v = (self.project(x, layer, f"self_attn.{part}_proj") for part in "qkv")
        if c.qk_norm == "all":
            q, k = (self.rmsnorm(y, w[name]) for y, name in zip((q, k), QK_NORMS))
        q, k, v = split(q), split(k), split(v)
        if c.qk_norm == "head":
            q, k = (self.rmsnorm(y, w[name]) for y, name in zip((q, k), QK_NORMS))
        q, k = (self.rotate(y, window is not None) for y in (q, k))
        k, v = (y.repeat_interleave(q.shape[1] // y.shape[1], 1) for y in (k, v))
        scores = capped(q @ k.transpose(2, 3) / math.sqrt(c.query_scalar or c.head_dim), c.score_cap)
        everywhere = torch.ones(length, length, dtype=torch.bool)
        hidden = everywhere.triu(1)
        if window is not None:
            hidden = hidden | everywhere.tril(-window)
        mixed = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, length, -1)
        if tap:
            tap("o_proj", mixed)
        return self.project(mixed, layer, "self_attn.o_proj")

    def mlp(self, x, layer, tap=None):
        gate, up = (self.project(x, layer, f"mlp.{part}_proj") for part in ("gate", "up"))
        inner = (gelu(gate) if self.config.gelu else F.silu(gate)) * up
        if tap:
            tap("down_proj", inner)
        return self.project(inner, layer, "mlp.down_proj")

    def hidden(self, tokens, without=(), without_attention=(), without_mlp=(), tap=None):
        """Hidden states at every block boundary that remains, h_0 … h_L, before the final norm."""
        h = self.weights["model.embed_tokens.weight"][tokens] * self.config.embed_scale
        before, behind = NORMS[self.config.norms]
        boundaries = [h]
        for layer in range(self.config.layers):
            if layer in without:
                continue
            w = self.block(layer)
            listen = (lambda place, x, layer=layer: tap(layer, place, x)) if tap else None
            norm = lambda x, name, w=w: self.rmsnorm(x, w[name]) if name else x
            if layer not in without_attention:
                h = h + norm(self.attention(norm(h, before[0]), layer, w, listen), behind[0])
            if layer not in without_mlp:
                h = h + norm(self.mlp(norm(h, before[1]), layer, listen), behind[1])
            boundaries.append(h)
        return boundaries

    def logits(self, tokens, **leave_out):
        """[batch, seqLen, vocab]"""
        h = self.rmsnorm(self.hidden(tokens, **leave_out)[-1], self.weights["model.norm.weight"])
        head = "model.embed_tokens.weight" if self.config.tied else "lm_head.weight"
        return capped(h @ self.weights[head].T, self.config.logit_cap)

    def nll(self, tokens, **leave_out):
        """Negative log-likelihood of every predicted token: [batch, seqLen − 1], nats."""
        logp = self.logits(tokens, **leave_out)[:, :-1].log_softmax(-1)
        return -logp.gather(2, tokens[:, 1:, None])[..., 0]


def gelu(x):
    """GELU by its tanh formula."""
    return x / 2 * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())


def capped(x, cap):
    """A soft cap; None is none."""
    return x if cap is None else cap * (x / cap).tanh()
