"""The demo model in plain PyTorch, on one flat parameter vector, and the door to its fast twin in C++.

Shapes: T = seqLen, C = hidden, H heads of D, K kvHeads, F = ffn, V = vocab, L = blocks. Linear weights are [out, in].
"""

import ctypes
import math
import os
import subprocess

import numpy as np
import torch
import torch.nn.functional as functional

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(HERE, "work")
C, H, K, D, F, L, CONTEXT, EPS, THETA = 128, 8, 4, 16, 352, 12, 256, 1e-5, 10000.0
EMBED_STD = 0.05


def layout(vocab):
    """Name and shape of every tensor, in the order of the flat vector; names are those of Hugging Face."""
    block = [
        ("input_layernorm", (C,)),
        ("self_attn.q_proj", (H * D, C)),
        ("self_attn.k_proj", (K * D, C)),
        ("self_attn.v_proj", (K * D, C)),
        ("self_attn.o_proj", (C, H * D)),
        ("post_attention_layernorm", (C,)),
        ("mlp.gate_proj", (F, C)),
        ("mlp.up_proj", (F, C)),
        ("mlp.down_proj", (C, F)),
    ]
    names = [("model.embed_tokens.weight", (vocab, C))]
    names += [(f"model.layers.{layer}.{name}.weight", shape) for layer in range(L) for name, shape in block]
    return names + [("model.norm.weight", (C,))]


def split(flat, vocab):
    """Views of the flat vector by name."""
    tensors, at = {}, 0
    for name, shape in layout(vocab):
        size = math.prod(shape)
        tensors[name] = flat[at : at + size].view(shape)
        at += size
    assert at == flat.numel(), f"expected {at} parameters, got {flat.numel()}"
    return tensors


def initial(vocab, seed):
    """Normal weights of variance 1 / inputs, smaller where they write to the residual stream (as in GPT-2); norms are one."""
    generator = torch.Generator().manual_seed(seed)
    flat = torch.empty(sum(math.prod(shape) for _, shape in layout(vocab)))
    for name, tensor in split(flat, vocab).items():
        if tensor.dim() == 1:
            tensor.fill_(1)
        else:
            std = EMBED_STD if "embed" in name else tensor.shape[1] ** -0.5
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                std /= math.sqrt(2 * L)
            tensor.normal_(0, std, generator=generator)
    return flat


def hashed(vocab, seed):
    """The same sizes, uniform, from a hash of the place in the flat vector (MurmurHash3's last step): engineTraining.ts computes
    them too, to the last bit."""
    flat = torch.empty(sum(math.prod(shape) for _, shape in layout(vocab)))
    x = np.arange(flat.numel(), dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    uniform = torch.from_numpy(((x ^ (x >> np.uint32(16))).astype(np.float64) + 0.5) / 2**32)
    at = 0
    for name, tensor in split(flat, vocab).items():
        size = tensor.numel()
        if tensor.dim() == 1:
            tensor.fill_(1)
        else:
            std = EMBED_STD if "embed" in name else tensor.shape[1] ** -0.5
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                std /= math.sqrt(2 * L)
            tensor.copy_(((2 * uniform[at : at + size] - 1) * (math.sqrt(3) * std)).view(tensor.shape))
        at += size
    return flat


def rmsnorm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * weight


def rotate(x):
    """Rotary positions, Hugging Face's half-split convention; x is [batch, heads, T, D]."""
    steps = torch.arange(x.shape[2], dtype=torch.float64)
    angle = steps[:, None] * THETA ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., : D // 2], x[..., D // 2 :]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def attention(x, w, prefix):
    """Causal self-attention with grouped queries; x is [batch, T, C]."""
    batch, seq = x.shape[:2]
    heads = {}
    for name in "qkv":
        heads[name] = (x @ w[f"{prefix}.self_attn.{name}_proj.weight"].T).view(batch, seq, -1, D).transpose(1, 2)
    q, k = rotate(heads["q"]), rotate(heads["k"])
    k, v = (tensor.repeat_interleave(H // K, dim=1) for tensor in (k, heads["v"]))
    scores = q @ k.transpose(2, 3) / math.sqrt(D)
    scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), -math.inf)
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, seq, H * D)
    return mixed @ w[f"{prefix}.self_attn.o_proj.weight"].T


def mlp(x, w, prefix):
    gate, up = x @ w[f"{prefix}.mlp.gate_proj.weight"].T, x @ w[f"{prefix}.mlp.up_proj.weight"].T
    return (functional.silu(gate) * up) @ w[f"{prefix}.mlp.down_proj.weight"].T


def logits(flat, tokens, vocab, skips=None):
    """[batch, T, V] from tokens [batch, T]; skips [batch, L] ≠ 0 leaves a block out of a sequence."""
    w = split(flat, vocab)
    x = w["model.embed_tokens.weight"][tokens.long()]
    for layer in range(L):
        prefix = f"model.layers.{layer}"
        keep = 1.0 if skips is None else (1 - skips[:, layer].to(x.dtype))[:, None, None]
        x = x + keep * attention(rmsnorm(x, w[f"{prefix}.input_layernorm.weight"]), w, prefix)
        x = x + keep * mlp(rmsnorm(x, w[f"{prefix}.post_attention_layernorm.weight"]), w, prefix)
    return rmsnorm(x, w["model.norm.weight"]) @ w["model.embed_tokens.weight"].T


def loss_and_grad(flat, tokens, vocab, skips):
    """Mean loss of tokens [batch, T+1], and its gradient as a flat vector."""
    flat = flat.detach().requires_grad_()
    out = logits(flat, tokens[:, :-1], vocab, skips)
    loss = functional.cross_entropy(out.reshape(-1, vocab), tokens[:, 1:].reshape(-1).long())
    return loss.item(), torch.autograd.grad(loss, flat)[0]


class Fast:
    """The C++ twin, built with g++ and OpenBLAS (BLAS_LIB names the shared library)."""

    def __init__(self, vocab, threads=2):
        self.vocab, self.threads = vocab, threads
        source, library = os.path.join(HERE, "fast.cpp"), os.path.join(WORK, "fast.so")
        blas = os.environ.get("BLAS_LIB", "libopenblas.so.0")
        if not os.path.exists(library) or os.path.getmtime(library) < os.path.getmtime(source):
            flags = "-O3 -march=native -ffast-math -fopenmp-simd -shared -fPIC -pthread -std=c++17".split()
            link = [blas] if "/" in blas else [f"-l:{blas}"]
            subprocess.run(["g++", *flags, source, "-o", library, *link], check=True)
        ctypes.CDLL(blas, mode=ctypes.RTLD_GLOBAL)
        self.call = ctypes.CDLL(library).loss_and_grad
        self.call.restype = ctypes.c_double

    def __call__(self, flat, tokens, skips=None, grad=None, nll=False):
        """Mean loss of tokens int32 [batch, T+1]; fills grad (flat) if given. With nll: loss per token [batch, T]."""
        batch, seq = tokens.shape[0], tokens.shape[1] - 1
        tokens = np.ascontiguousarray(tokens, dtype=np.int32)
        skips = np.zeros((batch, L), np.uint8) if skips is None else np.ascontiguousarray(skips, dtype=np.uint8)
        each = np.empty((batch, seq), np.float32) if nll else None
        pointer = lambda array: None if array is None else ctypes.c_void_p(array.ctypes.data)
        address = lambda tensor: None if tensor is None else ctypes.c_void_p(tensor.data_ptr())
        loss = self.call(
            address(flat), address(grad), ctypes.c_long(flat.numel()), pointer(tokens), pointer(skips),
            batch, seq, self.vocab, self.threads, pointer(each),
        )  # fmt: skip
        return each if nll else loss


class Plain:
    """What Fast does, in plain PyTorch: no compiler needed, many times slower."""

    def __init__(self, vocab):
        self.vocab = vocab

    def __call__(self, flat, tokens, skips=None, grad=None, nll=False):
        tokens = torch.from_numpy(np.ascontiguousarray(tokens, dtype=np.int32))
        skips = None if skips is None else torch.from_numpy(np.ascontiguousarray(skips, dtype=np.uint8))
        if grad is not None:
            loss, exact = loss_and_grad(flat, tokens, self.vocab, skips)
            grad.copy_(exact)
            return loss
        with torch.no_grad():
            parts = range(len(tokens))  # one window at a time: the logits of many would not fit
            skip = lambda i: None if skips is None else skips[i : i + 1]
            wanted = tokens[:, 1:].long()
            losses = lambda i: functional.cross_entropy(
                logits(flat, tokens[i : i + 1, :-1], self.vocab, skip(i))[0], wanted[i], reduction="none"
            )
            each = torch.stack([losses(i) for i in parts])
        return each.numpy() if nll else each.mean().item()
