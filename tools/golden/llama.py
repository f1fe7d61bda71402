"""A LLaMA forward pass in plain float64 PyTorch: the judge, written to be read beside the formulas.

Hidden states are [batch, seqLen, hidden]; weights keep Hugging Face's names and [out, in] layout.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
MLP = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
NORMS = ("input_layernorm", "post_attention_layernorm")


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
        """The nine weights of a block, by their name within the block."""
        names = (*ATTENTION, *MLP, *NORMS)
        return {name: self.weights[f"model.layers.{layer}.{name}.weight"] for name in names}

    def rmsnorm(self, x, weight):
        return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config.eps)

    def rotate(self, x):
        """Rotary embedding of x [batch, heads, seqLen, headDim]; channel i pairs with i + headDim/2."""
        half = self.config.head_dim // 2
        frequency = self.config.theta ** (-torch.arange(half) / half)
        angle = torch.arange(x.shape[2])[:, None] * frequency[None, :]
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)

    def attention(self, x, w, tap=None):
        """Causal attention with grouped query heads; query head i reads key/value head i // (heads / kvHeads)."""
        c = self.config
        batch, length, _ = x.shape
        split = lambda y, heads: y.view(batch, length, heads, c.head_dim).transpose(1, 2)
        q = self.rotate(split(x @ w["self_attn.q_proj"].T, c.heads))
        k = self.rotate(split(x @ w["self_attn.k_proj"].T, c.kv_heads))
        v = split(x @ w["self_attn.v_proj"].T, c.kv_heads)
        k, v = (y.repeat_interleave(c.heads // c.kv_heads, 1) for y in (k, v))
        scores = q @ k.transpose(2, 3) / math.sqrt(c.head_dim)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(future, -math.inf).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, length, c.heads * c.head_dim)
        if tap:
            tap("o_proj", mixed)
        return mixed @ w["self_attn.o_proj"].T

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
                h = h + self.attention(self.rmsnorm(h, w["input_layernorm"]), w, listen)
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
