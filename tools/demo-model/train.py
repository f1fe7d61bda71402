"""Trains the demo model: Muon and AdamW, warm-up, a stable phase, then linear decay to zero. Resumes from work/checkpoint.pt.

    python3 train.py

The steps of both phases may be changed while it runs, in work/schedule.json: {"grow": 2000, "stable": 4000, "decay": 1500}.
"""

import argparse
import csv
import json
import os
import time

import numpy as np
import torch

from data import held_out, training, vocab_size, windows
from model import CONTEXT, L, WORK, Fast, Plain, initial, loss_and_grad, split
from optimizer import STATE, Optimizer

CHECKPOINT = os.path.join(WORK, "checkpoint.pt")
SCHEDULE = os.path.join(WORK, "schedule.json")
LOG = os.path.join(WORK, "loss.csv")
FIRST_BLOCKS = (0, 3, 6, 9)
WARM_UP, EVALUATE_EVERY, SAVE_SECONDS = 100, 250, 240


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="windows of 256 tokens in a step")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--grow-step", type=int, default=0, help="the step at which all blocks join")
    parser.add_argument("--stable-steps", type=int, default=5000)
    parser.add_argument("--decay-steps", type=int, default=2200)
    parser.add_argument("--adamw", action="store_true", help="AdamW for the blocks' matrices too, as train.mjs has it")
    parser.add_argument("--plain", action="store_true", help="plain PyTorch instead of fast.cpp")
    return parser.parse_args()


def learning_rate(step, peak, stable, decay):
    """Warm-up, plateau, and a straight line down to zero."""
    return peak * min(1, (step + 1) / WARM_UP, max(0, (stable + decay - step) / decay))


def batches(tokens, seed, batch, start):
    """Step `start`, `start`+1, … of the shuffled windows, int32 [batch, CONTEXT+1]; a new shuffle for each epoch."""
    starts = windows(tokens, CONTEXT + 1, reuse=True)
    per_epoch = len(starts) // batch
    step = start
    while True:
        order = np.random.default_rng([seed, step // per_epoch]).permutation(starts)
        while True:
            at = step % per_epoch * batch
            yield np.stack([tokens[s : s + CONTEXT + 1] for s in order[at : at + batch]]).astype(np.int32)
            step += 1
            if step % per_epoch == 0:
                break


def grow(flat, vocab):
    """The blocks between two trained ones start as copies of the one before, and write nothing yet: same function."""
    tensors = split(flat, vocab)
    for name, tensor in tensors.items():
        parts = name.split(".")
        if parts[1] == "layers" and int(parts[2]) not in FIRST_BLOCKS:
            source = max(block for block in FIRST_BLOCKS if block < int(parts[2]))
            tensor.copy_(tensors[".".join(["model", "layers", str(source), *parts[3:]])])
            if parts[4] in ("o_proj", "down_proj"):
                tensor.zero_()


def skipped(count, grown):
    """[count, L] mask of the blocks that are left out: before growing, all but FIRST_BLOCKS."""
    mask = np.zeros((count, L), np.uint8)
    if not grown:
        mask[:, [block for block in range(L) if block not in FIRST_BLOCKS]] = 1
    return mask


def judge(fast, flat, grown, count=64):
    """Mean loss of the first held-out windows, and their floor, in nats per token."""
    tokens, nats = held_out()
    starts = windows(tokens, CONTEXT + 1)[:count]
    each = np.stack([tokens[s : s + CONTEXT + 1] for s in starts])
    floor = np.stack([nats[s + 1 : s + CONTEXT + 1] for s in starts]).mean()
    return fast(flat, each, skipped(count, grown)), float(floor)


def save(state):
    torch.save(state, CHECKPOINT + ".new")
    os.replace(CHECKPOINT + ".new", CHECKPOINT)


def check_gradient(fast, flat, vocab, seed):
    """The fast gradient must be that of plain PyTorch in float64."""
    generator = np.random.default_rng(seed)
    tokens = generator.integers(0, vocab, (2, 65), dtype=np.int32)
    skips = np.zeros((2, L), np.uint8)
    skips[1, L // 2] = 1
    grad = torch.empty_like(flat)
    loss = fast(flat, tokens, skips, grad)
    wanted, exact = loss_and_grad(flat.double(), torch.from_numpy(tokens), vocab, torch.from_numpy(skips))
    error = ((grad - exact).norm() / exact.norm()).item()
    assert error < 1e-4 and abs(loss - wanted) < 1e-4, f"fast gradient is off by {error}, loss {loss} instead of {wanted}"


def plan(options):
    """The steps of the schedule; work/schedule.json goes before the command line."""
    steps = {"grow": options.grow_step, "stable": options.stable_steps, "decay": options.decay_steps}
    if os.path.exists(SCHEDULE):
        with open(SCHEDULE, encoding="utf8") as file:
            steps.update(json.load(file))
    return steps


def report(*row):
    with open(LOG, "a", newline="", encoding="utf8") as file:
        csv.writer(file).writerow(row)
    print(*row, flush=True)


class Training:
    """What a checkpoint holds: weights, optimizer, step, and how long it took."""

    def __init__(self, options):
        self.options, self.vocab = options, vocab_size()
        self.flat = initial(self.vocab, options.seed)
        self.optimizer = Optimizer(self.flat, self.vocab, options.weight_decay, muon=not options.adamw)
        self.step, self.seconds, self.grown = 0, 0.0, False
        if os.path.exists(CHECKPOINT):
            self.load(torch.load(CHECKPOINT))
        self.resumed = time.time() - self.seconds

    def load(self, state):
        self.step, self.seconds, self.grown = state["step"], state["seconds"], state["grown"]
        self.flat.copy_(state["flat"])
        for name in STATE:
            getattr(self.optimizer, name).copy_(state[name])

    def save(self, steps):
        self.seconds = time.time() - self.resumed
        state = {name: getattr(self.optimizer, name) for name in STATE}
        state.update(flat=self.flat, step=self.step, seconds=self.seconds, grown=self.grown)
        state.update(vocab=self.vocab, options=vars(self.options), plan=steps)
        torch.save(state, CHECKPOINT + ".new")
        os.replace(CHECKPOINT + ".new", CHECKPOINT)


def main():
    options = arguments()
    run = Training(options)
    fast = Plain(run.vocab) if options.plain else Fast(run.vocab)
    check_gradient(fast, run.flat, run.vocab, options.seed)
    grad, losses, saved = torch.empty_like(run.flat), [], time.time()
    for batch in batches(training(), options.seed, options.batch, run.step):
        steps = plan(options)
        if run.step >= steps["grow"] and not run.grown:
            grow(run.flat, run.vocab)
            run.grown = True
        done = run.step >= steps["stable"] + steps["decay"]
        if run.step % EVALUATE_EVERY == 0 or done:
            loss, floor = judge(fast, run.flat, run.grown)
            mean = float(np.mean(losses)) if losses else float("nan")
            tokens, seconds = run.step * options.batch * CONTEXT, time.time() - run.resumed
            report(run.step, tokens, f"{seconds:.0f}", f"{mean:.4f}", f"{loss:.4f}", f"{floor:.4f}")
            losses = []
        if done or time.time() - saved > SAVE_SECONDS:
            run.save(steps)
            saved = time.time()
        if done:
            break
        skips = skipped(options.batch, run.grown)
        loss = fast(run.flat, batch, skips, grad)
        run.optimizer.step(grad, learning_rate(run.step, options.lr, steps["stable"], steps["decay"]), run.step)
        losses.append(loss)
        run.step += 1


if __name__ == "__main__":
    main()
