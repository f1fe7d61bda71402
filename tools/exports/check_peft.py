"""Puts exported PEFT adapters on their exported parents and compares the logits with those of the exported merged models.

Usage: python3 tools/exports/check_peft.py FOLDER [FOLDER ...]
           each FOLDER has the folders parent, adapter and merged, and tokens.json: [[...], ...]

Needs torch, transformers, peft and safetensors. The float32 values of the files are computed with in float64, so that only they
count; the largest difference of two logits must be at most 1e-5. `npx vitest run --project unit tools/exports` with SECATEUR_EXPORTS=DIR writes such folders, named *-peft.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()


def load(folder):
    own = "auto_map" in json.loads((folder / "config.json").read_text())
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=own, dtype=torch.float64)


def logits_of(model, sequences):
    with torch.no_grad():
        return [model(torch.tensor([ids]), use_cache=False).logits for ids in sequences]


def difference(some, others):
    return max((a - b).abs().max().item() for a, b in zip(some, others, strict=True))


def check(folder):
    sequences = json.loads((folder / "tokens.json").read_text())
    parent = load(folder / "parent")
    before = logits_of(parent, sequences)
    model = PeftModel.from_pretrained(parent, folder / "adapter").double()
    adapted, merged = logits_of(model, sequences), logits_of(load(folder / "merged"), sequences)
    off, change = difference(adapted, merged), difference(before, merged)
    fits = off <= 1e-5 < change
    print(f"{folder.name}: off by {off:.1e} (the adapter changes logits by up to {change:.2f}): {'ok' if fits else 'WRONG'}")
    return fits


if __name__ == "__main__":
    results = [check(Path(folder)) for folder in sys.argv[1:]]
    sys.exit(0 if results and all(results) else 1)
