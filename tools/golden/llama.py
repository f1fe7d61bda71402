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
NORMS = ("input_layernorm", "post_attention_layernorm")
HEAD_NORMS = ("self_attn.q_norm", "self_attn.k_norm")


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
    qk_norm: bool = False  # queries and keys are normed head by head

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
        names = (*ATTENTION, *MLP, *NORMS, *(HEAD_NORMS if self.config.qk_norm else ()))
        return {name: self.weights[f"model.layers.{layer}.{name}.weight"] for name in names}

    def project(self, x, layer, name):
        """x · weightᵀ, plus the bias where the checkpoint has one."""
        y = x @ self.weights[f"model.layers.{layer}.{name}.weight"].T
        bias = self.weights.get(f"model.layers.{layer}.{name}.bias")
        return y if bias is None else y + bias

    def rmsnorm(self, x, weight):
        return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config.eps)

    def rotate(self, x):
        """Rotary embedding of x [batch, heads, seqLen, headDim]; channel i pairs with i + headDim/2."""
        c, half = self.config, self.config.head_dim // 2
        frequency, factor = frequencies(c.theta, c.head_dim, c.scaling)
        angle = torch.arange(x.shape[2])[:, None] * frequency[None, :]
        cos, sin = factor * angle.cos(), factor * angle.sin()
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def attention(self, x, layer, w, tap=None):
        """Causal attention with grouped query heads; query head i reads key/value head i // (heads / kvHeads).

        With a window of n tokens, query i sees the keys i − n + 1 … i.
        """
        c = self.config
        window = c.windows[layer] if c.windows else None
        batch, length, _ = x.shape
        split = lambda y, heads: y.view(batch, length, heads, c.head_dim).transpose(1, 2)
        q = split(self.project(x, layer, "self_attn.q_proj"), c.heads)
        k = split(self.project(x, layer, "self_attn.k_proj"), c.kv_heads)
        v = split(self.project(x, layer, "self_attn.v_proj"), c.kv_heads)
        if c.qk_norm:
            q, k = (self.rmsnorm(y, w[name]) for y, name in zip((q, k), HEAD_NORMS))
        q, k = self.rotate(q), self.rotate(k)
        k, v = (y.repeat_interleave(c.heads // c.kv_heads, 1) for y in (k, v))
        scores = q @ k.transpose(2, 3) / math.sqrt(c.head_dim)
        everywhere = torch.ones(length, length, dtype=torch.bool)
        hidden = everywhere.triu(1)
        if window is not None:
            hidden = hidden | everywhere.tril(-window)
        mixed = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, length, c.heads * c.head_dim)
        if tap:
            tap("o_proj", mixed)
        return self.project(mixed, layer, "self_attn.o_proj")

    def mlp(self, x, w, tap=None):
        inner = F.silu(x @ w["mlp.gate_proj"].T) * (x @ w["mlp.up_proj"].T)
        if tap:
            tap("down_proj", inner)
        return inner @ w["mlp.down_proj"].T

    def hidden(self, tokens, without=(), without_attention=(), without_mlp=(), tap=None):
        """Hidden states at every block boundary that remains, h_0 … h_L, before the final norm."""
        h = self.weights["model.embed_tokens.weight"][tokens]
        boundaries = [h]
        for layer in range(self.config.layers):
            if layer in without:
                continue
            w = self.block(layer)
            listen = (lambda place, x, layer=layer: tap(layer, place, x)) if tap else None
            if layer not in without_attention:
                h = h + self.attention(self.rmsnorm(h, w["input_layernorm"]), layer, w, listen)
            if layer not in without_mlp:
                h = h + self.mlp(self.rmsnorm(h, w["post_attention_layernorm"]), w, listen)
            boundaries.append(h)
        return boundaries

    def logits(self, tokens, **leave_out):
        """[batch, seqLen, vocab]"""
        h = self.rmsnorm(self.hidden(tokens, **leave_out)[-1], self.weights["model.norm.weight"])
        head = "model.embed_tokens.weight" if self.config.tied else "lm_head.weight"
        return h @ self.weights[head].T

    def nll(self, tokens, **leave_out):
        """Negative log-likelihood of every predicted token: [batch, seqLen − 1], nats."""
        logp = self.logits(tokens, **leave_out)[:, :-1].log_softmax(-1)
        return -logp.gather(2, tokens[:, 1:, None])[..., 0]
