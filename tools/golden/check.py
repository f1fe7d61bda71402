"""Judges the definitions in measures.py by a golden file of another origin, on a trained checkpoint."""

import json
import math
from pathlib import Path

import torch

from llama import Config, Llama
from measures import measure
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


def check(shared: Path, tolerance: float = 1e-8) -> bool:
    """Prints the largest difference of each quantity; True when all are within `tolerance`."""
    folder, golden = shared / "models/stories260K", json.loads((shared / "golden/stories260K.json").read_text())
    weights = {name: torch.tensor(w) for name, w in read(folder / "model.safetensors").items()}
    model = Llama(Config.from_json(json.loads((folder / "config.json").read_text())), weights)
    tokens = torch.tensor(golden["calibration_token_ids"])
    ours = measure(model, tokens, len(golden["sleb"]["removed"]))
    good = True
    for key in ours:
        place, worst = max(differences(ours[key], golden[key], key), key=lambda pair: pair[1])
        good = good and worst <= tolerance
        print(f"{'ok ' if worst <= tolerance else 'BAD'} {key:16} largest relative difference {worst:.1e} at {place}")
    return good
