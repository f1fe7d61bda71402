"""Windows of token ids. A window always starts at the start of a story, so the floor of a window is exact."""

import json
import os

import numpy as np

from model import HERE, WORK

BOS = 0
DEMO = os.path.join(HERE, "..", "..", "public", "demo")


def vocab_size():
    with open(os.path.join(DEMO, "tokenizer.json"), encoding="utf8") as file:
        return len(json.load(file)["model"]["vocab"])


def windows(tokens, length, reuse=False):
    """Start of each window of `length` tokens, as in src/text/corpus.ts: the next one begins with the first story that
    no window has used. With reuse, with the story that was cut short (training: no story's end goes unseen)."""
    starts = np.flatnonzero(tokens == BOS)
    chosen, story = [], 0
    while story < len(starts) and starts[story] + length <= len(tokens):
        chosen.append(starts[story])
        following = int(np.searchsorted(starts, starts[story] + length))
        story = max(story + 1, following - 1) if reuse else following
    return np.array(chosen)


def training():
    return np.memmap(os.path.join(WORK, "train.bin"), dtype="<u2", mode="r")


def scored(name):
    """Token ids of a corpus and the surprise of each token in nats."""
    tokens = np.fromfile(os.path.join(WORK, f"{name}.bin"), dtype="<u2")
    nats = np.fromfile(os.path.join(WORK, f"{name}.f32"), dtype="<f4")
    assert len(tokens) == len(nats), f"{name}: {len(tokens)} tokens but {len(nats)} surprises"
    return tokens, nats


def held_out():
    return scored("heldout")
