"""Writes work/checkpoint.pt as a Hugging Face model folder: three f16 safetensors shards, their index, the configs.

    python3 export.py             of train.py
    python3 export.py --engine    of train.mjs: work/engine/trained.f32

The file format is at https://huggingface.co/docs/safetensors: 8 bytes little-endian header length, a JSON header padded
with spaces to a multiple of 8, then the tensors one after another with no gap.
"""

import json
import os
import struct
import sys

import numpy as np
import torch

from data import DEMO, vocab_size
from model import C, CONTEXT, D, EPS, F, H, K, L, THETA, WORK, split
from train import CHECKPOINT, grow

SHARDS = 3


def config(vocab):
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "head_dim": D,
        "hidden_act": "silu",
        "hidden_size": C,
        "initializer_range": 0.02,
        "intermediate_size": F,
        "max_position_embeddings": CONTEXT,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": H,
        "num_hidden_layers": L,
        "num_key_value_heads": K,
        "pretraining_tp": 1,
        "rms_norm_eps": EPS,
        "rope_scaling": None,
        "rope_theta": THETA,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": vocab,
    }


GENERATION = {"bos_token_id": 0, "eos_token_id": 0, "do_sample": True, "temperature": 0.8, "max_length": CONTEXT}


def write_json(name, value):
    with open(os.path.join(DEMO, name), "w", encoding="utf8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def write_safetensors(path, tensors):
    """tensors: name → f16 tensor, written in this order."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".new", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())
    os.replace(path + ".new", path)


def shard_of(name):
    """Embedding and first blocks, middle blocks, last blocks and final norm."""
    if name.startswith("model.layers."):
        return int(name.split(".")[2]) * SHARDS // L
    return SHARDS - 1 if name == "model.norm.weight" else 0


def engine_state():
    """What train.mjs left, as a checkpoint."""
    folder = os.path.join(WORK, "engine")
    with open(os.path.join(folder, "run.json"), encoding="utf8") as file:
        step = json.load(file)["steps"]
    flat = torch.from_numpy(np.fromfile(os.path.join(folder, "trained.f32"), dtype="<f4"))
    return {"flat": flat, "vocab": vocab_size(), "step": step, "grown": True}


def main():
    state = engine_state() if "--engine" in sys.argv[1:] else torch.load(CHECKPOINT)
    if not state["grown"]:
        grow(state["flat"], state["vocab"])
    tensors = {name: tensor.half() for name, tensor in split(state["flat"], state["vocab"]).items()}
    assert all(tensor.isfinite().all() for tensor in tensors.values()), "a weight does not fit f16"
    weight_map = {}
    for shard in range(SHARDS):
        file_name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        part = {name: tensor for name, tensor in tensors.items() if shard_of(name) == shard}
        write_safetensors(os.path.join(DEMO, file_name), part)
        weight_map.update({name: file_name for name in part})
    total = sum(tensor.numel() * 2 for tensor in tensors.values())
    write_json("model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})
    write_json("config.json", config(state["vocab"]))
    write_json("generation_config.json", GENERATION)
    print(f"step {state['step']}: {total // 2} parameters, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
