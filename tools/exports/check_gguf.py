"""Reads a GGUF file with the package `gguf` of llama.cpp, an independent reader, and says what it holds.

    python3 tools/exports/check_gguf.py FILE.gguf [MODEL_FOLDER]

Checks the names and sizes that the architecture needs. With the folder of the Hugging Face checkpoint it compares the weights
of a model without removals: rows of queries and keys are put back into their order first. Needs numpy, gguf and, for a
folder, safetensors and torch. No part of `npm test`.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, quants
from gguf.constants import GGMLQuantizationType


def field(reader, key, default=None):
    found = reader.get_field(key)
    return default if found is None else found.contents()


def values(tensor):
    """A tensor's numbers, [rows, columns] or [elements]."""
    shape = tuple(reversed([int(size) for size in tensor.shape]))
    if tensor.tensor_type in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
        return np.array(tensor.data, dtype=np.float32).reshape(shape)
    return quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)


def half_split(rows, head_dim):
    """Rows of neighbouring pairs as Hugging Face has them."""
    heads = rows.reshape(-1, head_dim // 2, 2, *rows.shape[1:])
    return np.swapaxes(heads, 1, 2).reshape(rows.shape)


def checkpoint(folder):
    from safetensors.torch import load_file

    tensors = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        tensors.update({name: value.float().numpy() for name, value in load_file(path).items()})
    return tensors


PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTSIDE = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


def original(name):
    """The name in the checkpoint; None for a tensor that it lacks."""
    if not name.startswith("blk."):
        return OUTSIDE.get(name)
    _, block, part, kind = name.split(".")
    return f"model.layers.{block}.{PARTS[part]}.{kind}" if part in PARTS else None


def main():
    reader = GGUFReader(sys.argv[1])
    arch = field(reader, "general.architecture")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    count = field(reader, f"{arch}.block_count")
    head_dim = field(reader, f"{arch}.attention.key_length")
    hidden = field(reader, f"{arch}.embedding_length")

    def per_block(key):
        found = field(reader, f"{arch}.{key}")
        return found if isinstance(found, list) else [found] * count

    heads, kv_heads, ffn = map(per_block, ("attention.head_count", "attention.head_count_kv", "feed_forward_length"))
    problems = []
    for block in range(count):
        wanted = {"ffn_gate": (ffn[block], hidden), "ffn_up": (ffn[block], hidden), "ffn_down": (hidden, ffn[block])}
        if heads[block] > 0:
            q, kv = heads[block] * head_dim, kv_heads[block] * head_dim
            wanted |= {"attn_q": (q, hidden), "attn_k": (kv, hidden), "attn_v": (kv, hidden), "attn_output": (hidden, q)}
        for part, shape in wanted.items():
            name = f"blk.{block}.{part}.weight"
            found = None if name not in tensors else tuple(int(size) for size in reversed(tensors[name].shape))
            if found != shape:
                problems.append(f"{name}: expected {shape}, got {found}")
    tokens = field(reader, "tokenizer.ggml.tokens") or []
    rows = int(tensors["token_embd.weight"].shape[1])
    if len(tokens) != rows or len(set(tokens)) != rows:
        problems.append(f"tokens: expected {rows} different ones, got {len(set(tokens))} of {len(tokens)}")

    worst = {}
    if len(sys.argv) > 2:
        own = checkpoint(sys.argv[2])
        for name, tensor in tensors.items():
            source = original(name)
            if source is None:
                continue
            found = values(tensor)
            if arch in ("llama", "deci") and (".attn_q." in name or ".attn_k." in name):
                found = half_split(found, head_dim)
            step = np.abs(own[source]).max()
            kind = tensor.tensor_type.name
            worst[kind] = max(worst.get(kind, 0.0), float(np.abs(found - own[source]).max() / step))
            if kind == "Q8_0" and not np.array_equal(
                quants.quantize(np.ascontiguousarray(values_in_order(own[source], name, arch, head_dim)), tensor.tensor_type),
                tensor.data.reshape(found.shape[0], -1),
            ):
                problems.append(f"{name}: other bytes than the package's own quantizer makes")
    print(
        json.dumps(
            {
                "architecture": arch,
                "blocks": count,
                "tensors": len(tensors),
                "types": sorted({tensor.tensor_type.name for tensor in reader.tensors}),
                "tokenizer": [field(reader, "tokenizer.ggml.model"), field(reader, "tokenizer.ggml.pre"), len(tokens)],
                "largest error over largest weight": worst,
                "problems": problems,
            },
            indent=1,
        )
    )
    sys.exit(1 if problems else 0)


def values_in_order(rows, name, arch, head_dim):
    """Rows of the checkpoint in the order of the file."""
    if arch not in ("llama", "deci") or not (".attn_q." in name or ".attn_k." in name):
        return rows
    heads = rows.reshape(-1, 2, head_dim // 2, *rows.shape[1:])
    return np.swapaxes(heads, 1, 2).reshape(rows.shape)


if __name__ == "__main__":
    main()
