#!/usr/bin/env python3
"""Makes the golden checkpoints and their numbers: `npm run golden`; `--check` judges the definitions. See README.md."""

import argparse
import json
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent

try:
    import torch
except ModuleNotFoundError:
    sys.exit(
        f"{sys.executable} has no PyTorch. On Debian: apt-get install python3-torch, "
        "then /usr/bin/python3 tools/golden/make.py"
    )

import cuts
import repairs
import safetensors
import tokenizer
from check import check, check_cuts
from distillation import DISTILLED, distillation
from measures import measure
from recipes import RECIPES, Recipe, build, config_json, draw, sample
from training import TRAINED, training

WINDOWS, LENGTH, SHORT = 4, 64, 4
PROMPT, NEXT = 6, 20
TEXT = "she cuts the hedge, and waits for the spring."


def rounded(value):
    """The same structure with every float to 10 significant digits."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, (list, tuple)) else value


def save(path: Path, value: dict) -> None:
    """JSON with one line for each entry of the outer object: small, and a change shows in a diff."""
    lines = (f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def save_weights(folder: Path, recipe: Recipe, tensors: dict) -> None:
    """model.safetensors, or shards of equal numbers of tensors with their index."""
    if recipe.shards == 1:
        safetensors.write(folder / "model.safetensors", tensors, recipe.dtype)
        return
    names, weight_map, total = list(tensors), {}, 0
    for shard in range(recipe.shards):
        file = f"model-{shard + 1:05}-of-{recipe.shards:05}.safetensors"
        part = names[shard * len(names) // recipe.shards : (shard + 1) * len(names) // recipe.shards]
        total += safetensors.write(folder / file, {name: tensors[name] for name in part}, recipe.dtype)
        weight_map |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def golden(recipe: Recipe, model, vocab: list, merges: list) -> dict:
    tokens = sample(recipe, model, WINDOWS, LENGTH)
    short = tokens[:1, :SHORT]
    with torch.no_grad():
        hidden = [h[0].tolist() for h in model.hidden(short)]
        logits = model.logits(tokens)
        nll = model.nll(tokens).mean(1)
    return {
        "version": 1,
        "seed": recipe.seed,
        "calibration_token_ids": tokens.tolist(),
        "mean_nll_per_window": nll.tolist(),
        **measure(model, tokens, min(2, recipe.config.layers - 2)),
        "logits": [
            {"window": window, "position": position, "values": logits[window, position].tolist()}
            for window, position in ((0, 0), (1, 20), (3, LENGTH - 1))
        ],
        "hidden": {"token_ids": short[0].tolist(), "boundaries": hidden},
        "greedy": {"prompt_ids": tokens[0, :PROMPT].tolist(), "next_ids": greedy(model, tokens[:1, :PROMPT], NEXT)},
        "text": TEXT,
        "text_ids": tokenizer.encode(TEXT, vocab, merges),
    }


CUT_ROWS = ((0, 0), (3, LENGTH - 1))
CUT_LOGITS = 4


def outcome(model, tokens, **leave_out) -> dict:
    """Mean loss of a pruned model, and the first logits of each of CUT_ROWS."""
    with torch.no_grad():
        return {
            "mean_nll": model.nll(tokens, **leave_out).mean().item(),
            "logits": [model.logits(tokens, **leave_out)[at][:CUT_LOGITS].tolist() for at in CUT_ROWS],
        }


def width_cut(model, tokens, method: str, share: float) -> dict:
    cut = cuts.choose(model, tokens, method, share)
    small, zeroed = cuts.removed(model, cut), cuts.masked(model, cut)
    with torch.no_grad():
        difference = (small.logits(tokens) - zeroed.logits(tokens)).abs().max().item()
    if difference > 1e-11:
        raise ValueError(f"{method}: removal and zeroed columns differ by {difference}")
    return {
        "method": method,
        "share": share,
        "heads_by": cuts.heads_by(model, method, share),
        "keepHeads": cut["heads"],
        "keepNeurons": cut["neurons"],
        "parameters": sum(w.numel() for w in small.weights.values()),
        **outcome(small, tokens),
        "flap_bias": outcome(cuts.with_flap_bias(model, tokens, cut), tokens),
    }


def depth_cut(recipe: Recipe, model, tokens) -> dict:
    """Without the middle block: as it is, and repaired where the family's norms allow it."""
    removed = recipe.config.layers // 2
    numbers = {"removed": removed, "without": outcome(model, tokens, without=(removed,))}
    rounded_to = lambda w: torch.tensor(
        safetensors.decode(safetensors.encode(w.numpy(), recipe.dtype), recipe.dtype, list(w.shape))
    )

    def both(repair) -> dict:
        """The repaired model in float64, and with its new matrices as they are stored."""
        exact, stored = (outcome(repair(*how), tokens, without=(removed,)) for how in ((), (rounded_to,)))
        return {**exact, "stored": stored}

    if repairs.can_rescale(model):
        alpha = repairs.alpha(model, tokens, removed)
        repaired = lambda *stored: repairs.prune_and_comp(model, alpha, removed, *stored)
        numbers["prune_and_comp"] = {"alpha": alpha, **both(repaired)}
    if repairs.can_replace(model):
        numbers["replace_me"] = both(lambda *stored: repairs.replace_me(model, tokens, removed, *stored))
    return numbers


def pruned(recipe: Recipe, model, tokens) -> dict:
    width = [width_cut(model, tokens, method, share) for method in cuts.METHODS for share in cuts.SHARES]
    return {
        "version": 1,
        "rule": cuts.RULE,
        "repair_rule": repairs.RULE,
        "logits_at": CUT_ROWS,
        **{f"{cut['method']} {cut['share']}": cut for cut in width},
        "depth": depth_cut(recipe, model, tokens),
    }


def greedy(model, tokens, count: int) -> list:
    """The most likely next token, again and again; the margin over the second must be one that float32 keeps."""
    written = []
    for _ in range(count):
        with torch.no_grad():
            best, second = model.logits(tokens)[0, -1].topk(2).values.tolist()
            token = model.logits(tokens)[0, -1].argmax().item()
        if best - second < 1e-3:
            raise ValueError(f"token {token} leads by {best - second} only: choose another seed")
        written.append(token)
        tokens = torch.cat((tokens, torch.tensor([[token]])), 1)
    return written


def make(recipe: Recipe, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tensors = draw(recipe)
    vocab, merges = tokenizer.learn(recipe.tokens)
    save(folder / "config.json", config_json(recipe))
    save(folder / "tokenizer.json", tokenizer.tokenizer_json(vocab, merges))
    save(folder / "tokenizer_config.json", tokenizer.tokenizer_config())
    save_weights(folder, recipe, tensors)
    model = build(recipe, tensors)
    numbers = rounded(golden(recipe, model, vocab, merges))
    save(folder / "golden.json", numbers)
    rows = torch.tensor(numbers["calibration_token_ids"])
    save(folder / "cuts.json", rounded(pruned(recipe, model, rows)))
    if recipe.name in TRAINED:
        save(folder / "training.json", rounded(training(model, rows)))
    if recipe.name in DISTILLED:
        save(folder / "distillation.json", rounded(distillation(model, rows)))
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{recipe.name}: {size / 1000:.0f} kB, perplexity {numbers['base_ppl']:.2f}, without a block "
          + " ".join(f"{value:.2f}" for value in numbers["ppl"]))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the definitions with ../shared/golden instead")
    parser.add_argument("--out", type=Path, default=HERE / "fixtures", help="folder to write (default: fixtures)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the order of sums, hence the last digit, must not depend on the machine's cores
    if arguments.check:
        shared = HERE.parents[2] / "shared"
        if not (shared / "golden/stories260K.json").exists():
            sys.exit(f"--check compares with {shared / 'golden/stories260K.json'}, which is not there.")
        sys.exit(0 if all([check(shared), check_cuts(shared)]) else 1)
    for recipe in RECIPES:
        make(recipe, arguments.out / recipe.name)


if __name__ == "__main__":
    main()
