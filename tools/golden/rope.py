"""Frequencies of the rotary embedding, plain or stretched to longer texts; `scaling` is `rope_scaling` of config.json."""

import math

import torch


def frequencies(theta: float, head_dim: int, scaling=None) -> tuple:
    """Radians per position of every channel pair [headDim / 2], and the factor on cos and sin."""
    half = head_dim // 2
    plain = theta ** (-torch.arange(half) / half)
    if scaling is None:
        return plain, 1.0
    return {"linear": linear, "llama3": llama3, "yarn": yarn}[scaling["rope_type"]](plain, theta, scaling)


def linear(plain, theta, s):
    """Position interpolation: every frequency divided by the factor."""
    return plain / s["factor"], 1.0


def llama3(plain, theta, s):
    """By the turns that a pair makes in the original context: many, kept; few, divided by the factor; between, a blend."""
    turns = s["original_max_position_embeddings"] * plain / (2 * math.pi)
    low, high = s["low_freq_factor"], s["high_freq_factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return plain * (kept + (1 - kept) / s["factor"]), 1.0


def yarn(plain, theta, s):
    """A ramp over the pairs, from the one that makes 32 turns in the original context to the one that makes 1."""
    head_dim = 2 * len(plain)
    pair = lambda turns: (
        head_dim * math.log(s["original_max_position_embeddings"] / (turns * 2 * math.pi)) / (2 * math.log(theta))
    )
    first = max(math.floor(pair(s["beta_fast"])), 0)
    last = min(math.ceil(pair(s["beta_slow"])), head_dim - 1)
    kept = 1 - ((torch.arange(len(plain)) - first) / (last - first)).clamp(0, 1)
    return plain * (kept + (1 - kept) / s["factor"]), 0.1 * math.log(s["factor"]) + 1
