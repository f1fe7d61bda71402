"""Judges the exported model (the f16 shards, not the checkpoint) and writes public/demo/card.json.

    python3 evaluate.py            everything: a few minutes
    python3 evaluate.py --quick    fewer windows, for a look while training

Perplexity against the grammar's floor, the perplexity without each block, greedy removal (at each step the block whose
absence costs least, as in SLEB), the loss curve, and a few stories told by the model.
"""

import argparse
import csv
import json
import math
import os
import struct

import numpy as np
import torch

from data import DEMO, held_out, scored, windows
from export import write_json
from model import CONTEXT, L, Fast, Plain, layout, logits
from train import CHECKPOINT, LOG

BOS = 0
CURVE_POINTS = 100
SEEDS = {"train": 1, "calibration": 2, "evaluation": 3, "heldOut": 4}
DESCRIPTION = (
    "A LLaMA of 12 blocks that tells small stories. It was trained from nothing on texts of a story grammar whose "
    "entropy is known, so the best possible perplexity is known too."
)


def load(folder):
    """The flat parameter vector (float32) and the vocabulary size of an exported model."""
    with open(os.path.join(folder, "model.safetensors.index.json"), encoding="utf8") as file:
        shards = sorted(set(json.load(file)["weight_map"].values()))
    tensors = {}
    for shard in shards:
        with open(os.path.join(folder, shard), "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header, data = json.loads(file.read(size)), file.read()
        for name, entry in header.items():
            if name != "__metadata__":
                first, last = entry["data_offsets"]
                tensors[name] = np.frombuffer(data[first:last], "<f2").reshape(entry["shape"])
    vocab = tensors["model.embed_tokens.weight"].shape[0]
    flat = np.concatenate([tensors[name].astype(np.float32).ravel() for name, _ in layout(vocab)])
    return torch.from_numpy(flat), vocab


def cut(tokens, nats, length, count=None):
    """Windows [n, length] that start at a story, and the mean floor of the tokens predicted in them."""
    starts = windows(tokens, length)[:count]
    floor = np.stack([nats[s + 1 : s + length] for s in starts]).mean()
    return np.stack([tokens[s : s + length] for s in starts]), float(floor)


def measure(fast, flat, tokens, nats, length, count=None):
    """Perplexity and floor over windows of `length` tokens (length − 1 of them predicted)."""
    each, floor = cut(tokens, nats, length, count)
    loss = fast(flat, each)
    return {
        "seqLen": length,
        "windows": len(each),
        "tokens": len(each) * (length - 1),
        "natsPerToken": round(loss, 4),
        "perplexity": round(math.exp(loss), 4),
        "floorNatsPerToken": round(floor, 4),
        "floorPerplexity": round(math.exp(floor), 4),
        "overFloor": round(math.exp(loss - floor) - 1, 4),
    }


def without(fast, flat, each, removed):
    skips = np.zeros((len(each), L), np.uint8)
    skips[:, list(removed)] = 1
    return round(math.exp(fast(flat, each, skips)), 4)


def greedy(fast, flat, each):
    """Blocks in the order in which removing them costs least, given those removed before."""
    removed, path = [], []
    while len(removed) < L - 1:
        trials = {block: without(fast, flat, each, [*removed, block]) for block in range(L) if block not in removed}
        best = min(trials, key=trials.get)
        removed.append(best)
        path.append({"block": best, "perplexity": trials[best]})
    return path


def tell(flat, vocab, seed, temperature):
    """Token ids of one story."""
    generator, ids = torch.Generator().manual_seed(seed), [BOS]
    while len(ids) < CONTEXT:
        with torch.no_grad():
            row = logits(flat, torch.tensor([ids]), vocab)[0, -1]
        chosen = int(torch.multinomial((row / temperature).softmax(0), 1, generator=generator))
        if chosen == BOS:
            break
        ids.append(chosen)
    return ids[1:]


def text_of(ids):
    """Byte-level decoding with the vocabulary of tokenizer.json."""
    with open(os.path.join(DEMO, "tokenizer.json"), encoding="utf8") as file:
        vocab = json.load(file)["model"]["vocab"]
    token = {number: text for text, number in vocab.items()}
    return "".join(token[number] for number in ids).replace("Ġ", " ")


def loss_curve():
    with open(LOG, encoding="utf8") as file:
        rows = [row for row in csv.reader(file)][1:]  # the first has no training loss yet
    picked = np.unique(np.linspace(0, len(rows) - 1, CURVE_POINTS).round().astype(int))
    curve = (rows[index] for index in picked)
    return [{"step": int(r[0]), "tokens": int(r[1]), "train": float(r[3]), "heldOut": float(r[4])} for r in curve]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plain", action="store_true", help="plain PyTorch instead of fast.cpp")
    options = parser.parse_args()
    count = 20 if options.quick else None
    state = torch.load(CHECKPOINT)
    flat, vocab = load(DEMO)
    fast = Plain(vocab) if options.plain else Fast(vocab)
    tokens, nats = held_out()
    floor = float(nats[1:].mean())
    evaluation = scored("evaluation")
    each, _ = cut(*evaluation, CONTEXT, count or 40)
    by_length = [measure(fast, flat, *evaluation, length, count) for length in (128, CONTEXT)]
    card = {
        "version": 1,
        "title": "Storybook",
        # What the page compares with: it measures on windows of 128 tokens.
        "floorPerplexity": by_length[0]["floorPerplexity"],
        "description": DESCRIPTION,
        "seeds": {**SEEDS, "weights": state["options"]["seed"]},
        "parameters": flat.numel(),
        "vocab": vocab,
        "steps": state["step"],
        "trainTokens": state["step"] * state["options"]["batch"] * CONTEXT,
        "schedule": state["plan"],
        "floor": {"natsPerToken": round(floor, 4), "perplexity": round(math.exp(floor), 4), "tokens": len(nats) - 1},
        "heldOut": measure(fast, flat, tokens, nats, CONTEXT, count or 400),
        "evaluation": by_length,
        "ablation": {
            "corpus": "evaluation",
            "seqLen": CONTEXT,
            "windows": len(each),
            "perplexity": without(fast, flat, each, []),
            "withoutBlock": [without(fast, flat, each, [block]) for block in range(L)],
            "greedy": greedy(fast, flat, each),
        },
        "lossCurve": loss_curve(),
        "samples": [text_of(tell(flat, vocab, seed, 0.8)) for seed in range(3)],
    }
    write_json("card.json", card)
    print(json.dumps({key: value for key, value in card.items() if key != "lossCurve"}, indent=1))


if __name__ == "__main__":
    main()
