"""Writes what train.mjs trains with, or losses to compare it with: the weights at the start and the rows of every step.

    python3 engine.py                          the whole recipe, with AdamW for all weights: work/engine/
    python3 engine.py --steps 20 --batch 2     a short run
    python3 engine.py --compare rows.json      trains in PyTorch from a start that TypeScript computes too, on the
                                               rows of a file {"rows": [[ids]], …}, and adds the losses to the file
"""

import argparse
import json
import os

import numpy as np
import torch

from data import training, vocab_size
from model import CONTEXT, WORK, Plain, hashed, initial
from optimizer import Optimizer
from train import batches, learning_rate

FOLDER = os.path.join(WORK, "engine")


def write(options):
    os.makedirs(FOLDER, exist_ok=True)
    steps = options.steps or options.stable_steps + options.decay_steps
    initial(vocab_size(), options.seed).numpy().astype("<f4").tofile(os.path.join(FOLDER, "start.f32"))
    with open(os.path.join(FOLDER, "rows.u16"), "wb") as file:
        for _, rows in zip(range(steps), batches(training(), options.seed, options.batch, 0)):
            file.write(rows.astype("<u2").tobytes())
    run = {
        "steps": steps,
        "batch": options.batch,
        "length": CONTEXT + 1,
        "learningRate": options.lr,
        "stableSteps": options.stable_steps,
        "decaySteps": options.decay_steps,
        "weightDecay": options.weight_decay,
    }
    with open(os.path.join(FOLDER, "run.json"), "w", encoding="utf8") as file:
        json.dump(run, file)


def compare(path):
    with open(path, encoding="utf8") as file:
        run = json.load(file)
    vocab = vocab_size()
    flat = hashed(vocab, run["seed"])
    run["start"] = [round(float(value), 9) for value in flat[:: len(flat) // 8][:8]]
    optimizer = Optimizer(flat, vocab, run["weightDecay"], muon=False)
    plain, grad, run["losses"] = Plain(vocab), torch.empty_like(flat), []
    for step in range(run["steps"]):
        first = step * run["batch"]
        rows = np.array(run["rows"][first : first + run["batch"]], dtype=np.int32)
        run["losses"].append(round(plain(flat, rows, None, grad), 6))
        rate = learning_rate(step, run["learningRate"], run["stableSteps"], run["decaySteps"])
        optimizer.step(grad, rate, step)
        print(step, run["losses"][-1], flush=True)
    with open(path, "w", encoding="utf8") as file:
        json.dump(run, file)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--stable-steps", type=int, default=5000)
    parser.add_argument("--decay-steps", type=int, default=2200)
    parser.add_argument("--compare")
    options = parser.parse_args()
    if options.compare:
        compare(options.compare)
    else:
        write(options)


if __name__ == "__main__":
    main()
