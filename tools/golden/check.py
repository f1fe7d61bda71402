"""Judges the definitions in measures.py by a golden file of another origin, on a trained checkpoint."""

import json
import math
from pathlib import Path

import torch

import cuts
import repairs
from llama import Config, Llama
from measures import activations, flap, llm_pruner, measure, perplexity, wanda_sp, with_gradients
from safetensors import read


def differences(ours, theirs, place: str = "") -> list:
    """(place, relative difference) of every number in `theirs`; a shape that differs counts as infinite."""
    if isinstance(theirs, dict):
        found = []
        for key, value in theirs.items():
            here = f"{place}.{key}" if place else key
            found += differences(ours[key], value, here) if key in ours else [(here, math.inf)]
        return found
    if isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [(place, math.inf)]
        return [d for i, (a, b) in enumerate(zip(ours, theirs)) for d in differences(a, b, f"{place}[{i}]")]
    return [(place, abs(ours - theirs) / max(abs(theirs), 1e-3))]


def trained(shared: Path) -> tuple:
    """The trained checkpoint and the numbers of its golden file."""
    folder, golden = shared / "models/stories260K", json.loads((shared / "golden/stories260K.json").read_text())
    weights = {name: torch.tensor(w) for name, w in read(folder / "model.safetensors").items()}
    return Llama(Config.from_json(json.loads((folder / "config.json").read_text())), weights), golden


def verdict(name: str, place: str, worst: float, tolerance: float) -> bool:
    print(f"{'ok ' if worst <= tolerance else 'BAD'} {name:20} largest relative difference {worst:.1e} at {place}")
    return worst <= tolerance


def check(shared: Path, tolerance: float = 1e-8) -> bool:
    """Prints the largest difference of each quantity; True when all are within `tolerance`."""
    model, golden = trained(shared)
    tokens = torch.tensor(golden["calibration_token_ids"])
    ours = measure(model, tokens, len(golden["sleb"]["removed"]))
    found = {key: max(differences(ours[key], golden[key], key), key=lambda pair: pair[1]) for key in ours}
    return all([verdict(key, *worst, tolerance) for key, worst in found.items()])


def check_cuts(shared: Path, tolerance: float = 1e-8) -> bool:
    """The same for cuts and repairs. Its cuts take a quarter of each layer's key/value groups and neurons."""
    model, golden = trained(shared)
    theirs = json.loads((shared / "golden/stories260K-cut.json").read_text())
    tokens, text = (torch.tensor(golden[key]) for key in ("calibration_token_ids", "eval_token_ids"))
    inputs = activations(model, tokens)
    scores = {
        "wanda-sp": wanda_sp(model, inputs),
        "flap": flap(model, inputs),
        "llm-pruner": llm_pruner(with_gradients(model, tokens)),
    }
    good = True
    for method, given in theirs["width"].items():
        one = scores.get(method)
        cut = cuts.uniform(model, one, 0.25, method, "groups") if one else cuts.sequential(model, tokens, 0.25, "groups")
        ours = {
            "keepHeads": cut["heads"],
            "keepNeurons": cut["neurons"],
            "ppl": perplexity(cuts.removed(model, cut), text),
            "ppl_with_flap_bias": perplexity(cuts.with_flap_bias(model, tokens, cut), text),
        }
        worst = max(differences(ours, given), key=lambda pair: pair[1])
        good = verdict(method, *worst, tolerance) and good
    for block, given in theirs["repair"].items():
        gone = int(block)
        alpha = repairs.alpha(model, tokens, gone)
        ours = {
            "without": perplexity(model, text, without=(gone,)),
            "alpha": alpha,
            "prune_and_comp": perplexity(repairs.prune_and_comp(model, alpha, gone), text, without=(gone,)),
            "replace_me": perplexity(repairs.replace_me(model, tokens, gone), text, without=(gone,)),
        }
        worst = max(differences(ours, given), key=lambda pair: pair[1])
        good = verdict(f"without block {block}", *worst, tolerance) and good
    return good
