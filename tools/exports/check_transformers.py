"""Loads exported Hugging Face folders with transformers and compares their loss with the expected one.

Usage: python3 tools/exports/check_transformers.py FOLDER [FOLDER ...]
           each FOLDER has an expected.json: {"token_ids": [[...], ...], "mean_nll": nats}
       python3 tools/exports/check_transformers.py FOLDER --tokens tokens.json --loss NATS

Needs torch, transformers and safetensors. It loads each folder in float32 (with its own modeling file where config.json
names one), checks that no tensor is missing, unexpected or of another shape, that the safetensors library reads the
same names, that the mean loss agrees within 1e-5, and that generating with a cache gives the logits of one pass.
`npx vitest run --project unit tools/exports` with SECATEUR_EXPORTS=DIR writes such folders of the golden checkpoints.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()


def loss_of(model, sequences):
    """Mean negative log-likelihood over all predicted tokens, in nats, in float64."""
    total, count = 0.0, 0
    for ids in sequences:
        tokens = torch.tensor([ids])
        with torch.no_grad():
            logits = model(tokens, use_cache=False).logits.double()
        total += torch.nn.functional.cross_entropy(logits[0, :-1], tokens[0, 1:], reduction="sum").item()
        count += len(ids) - 1
    return total / count


def cached_difference(model, ids):
    """Largest difference of logits between one pass and a pass whose last tokens come one by one over a cache."""
    tokens = torch.tensor([ids])
    start = max(1, len(ids) - 8)
    with torch.no_grad():
        whole = model(tokens, use_cache=False).logits
        out = model(tokens[:, :start], use_cache=True)
        parts = [out.logits]
        for at in range(start, len(ids)):
            out = model(tokens[:, at : at + 1], past_key_values=out.past_key_values, use_cache=True)
            parts.append(out.logits)
    return (torch.cat(parts, dim=1) - whole).abs().max().item()


def names_in(folder):
    names = set()
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            names |= set(opened.keys())
    return names


def check(folder, sequences, expected, tolerance):
    config = json.loads((folder / "config.json").read_text())
    own = "auto_map" in config
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, trust_remote_code=own, dtype=torch.float32, output_loading_info=True, attn_implementation="eager"
    )
    problems = [f"{kind}: {sorted(map(str, found))[:3]}" for kind, found in info.items() if found]
    held = set(model.state_dict()) - ({"lm_head.weight"} if config["tie_word_embeddings"] else set())
    if held != names_in(folder):
        problems.append(f"names differ: {sorted(held ^ names_in(folder))[:3]}")
    loss = loss_of(model, sequences)
    difference = abs(loss - expected)
    if not difference <= tolerance:
        problems.append(f"loss {loss:.7f}, expected {expected:.7f}")
    cached = cached_difference(model, sequences[0])
    if not cached <= 1e-4:
        problems.append(f"logits over a cache differ by {cached:.2e}")
    form = "own modeling file" if own else "stock"
    verdict = "; ".join(problems) or "ok"
    print(f"{folder.name}: {form} {type(model).__name__}, loss {loss:.6f}, off by {difference:.1e}, cache {cached:.1e}: {verdict}")
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--tokens", type=Path, help="JSON file: sequences of token ids")
    parser.add_argument("--loss", type=float, help="expected mean loss, nats")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    good = True
    for folder in args.folders:
        if args.tokens:
            sequences, expected = json.loads(args.tokens.read_text()), args.loss
        else:
            said = json.loads((folder / "expected.json").read_text())
            sequences, expected = said["token_ids"], said["mean_nll"]
        good = check(folder, sequences, expected, args.tolerance) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
