"""Trains the demo model: Muon and AdamW, warm-up, a stable phase, then linear decay to zero. Resumes from work/checkpoint.pt.

    python3 train.py --stable-steps 5000 --decay-steps 1800

The steps of both phases may be changed while it runs, in work/schedule.json: {"stable": 4200, "decay": 1500}.
"""

import argparse
import csv
import json
import os
import time

import numpy as np
import torch

from data import held_out, training, vocab_size, windows
from model import CONTEXT, L, WORK, Fast, initial, loss_and_grad
from optimizer import STATE, Optimizer

CHECKPOINT = os.path.join(WORK, "checkpoint.pt")
SCHEDULE = os.path.join(WORK, "schedule.json")
LOG = os.path.join(WORK, "loss.csv")
WARM_UP, EVALUATE_EVERY, SAVE_SECONDS = 100, 250, 240


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="windows of 256 tokens in a step")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--layer-drop", type=float, default=0.05, help="chance to skip the last block; linear from 0 at the first")
    parser.add_argument("--stable-steps", type=int, default=6000)
    parser.add_argument("--decay-steps", type=int, default=2000)
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


def judge(fast, flat, count=64):
    """Mean loss of the first held-out windows, and their floor, in nats per token."""
    tokens, nats = held_out()
    starts = windows(tokens, CONTEXT + 1)[:count]
    each = np.stack([tokens[s : s + CONTEXT + 1] for s in starts])
    floor = np.stack([nats[s + 1 : s + CONTEXT + 1] for s in starts]).mean()
    return fast(flat, each), float(floor)


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


def main():
    options = arguments()
    vocab, tokens = vocab_size(), training()
    flat, first, seconds = initial(vocab, options.seed), 0, 0.0
    optimizer = Optimizer(flat, vocab, options.weight_decay)
    if os.path.exists(CHECKPOINT):
        state = torch.load(CHECKPOINT)
        first, seconds = state["step"], state["seconds"]
        for name in STATE:
            getattr(optimizer, name).copy_(state[name])
        flat.copy_(state["flat"])
    fast = Fast(vocab)
    check_gradient(fast, flat, vocab, options.seed)
    grad = torch.empty_like(flat)
    chance = options.layer_drop * np.arange(L) / (L - 1)
    started = saved = time.time()
    losses = []
    for step, batch in enumerate(batches(tokens, options.seed, options.batch, first), first):
        stable, decay = options.stable_steps, options.decay_steps
        if os.path.exists(SCHEDULE):
            with open(SCHEDULE, encoding="utf8") as file:
                plan = json.load(file)
            stable, decay = plan["stable"], plan["decay"]
        done = step >= stable + decay
        now = seconds + time.time() - started
        if done or time.time() - saved > SAVE_SECONDS:
            state = {"flat": flat, **{name: getattr(optimizer, name) for name in STATE}, "step": step, "seconds": now}
            save({**state, "vocab": vocab, "options": vars(options), "stable": stable, "decay": decay})
            saved = time.time()
        if step % EVALUATE_EVERY == 0 or done:
            loss, floor = judge(fast, flat)
            mean = float(np.mean(losses)) if losses else float("nan")
            row = [step, step * options.batch * CONTEXT, f"{now:.0f}", f"{mean:.4f}", f"{loss:.4f}", f"{floor:.4f}"]
            with open(LOG, "a", newline="", encoding="utf8") as file:
                csv.writer(file).writerow(row)
            print(*row, flush=True)
            losses = []
        if done:
            break
        skips = np.random.default_rng([options.seed, 7, step]).random((options.batch, L)) < chance
        if options.plain:
            loss, exact = loss_and_grad(flat, torch.from_numpy(batch), vocab, torch.from_numpy(skips.astype(np.uint8)))
            grad.copy_(exact)
        else:
            loss = fast(flat, batch, skips, grad)
        optimizer.step(grad, learning_rate(step, options.lr, stable, decay), step)
        losses.append(loss)


if __name__ == "__main__":
    main()
