"""Twenty steps of training by PyTorch in float64: of all weights, and of low-rank factors beside frozen ones (LoRA).

Rows are those of golden.json in their order, `batch` of them in a step. The loss of a step is the mean over all its predicted
tokens; AdamW (torch.optim) decays every trained tensor, norms and biases included; gradients are clipped by their global norm.
"""

import math

import torch

from llama import ATTENTION, MLP, Llama

# A grouped-query model, one with biases, and one with norms of queries and keys.
TRAINED = ("tiny-a", "tiny-biases", "tiny-qwen3")
STEPS = 20
SETTING = {
    "batch": 2,
    "warmup": 3,
    "schedule": "linear",
    "steps": STEPS,
    "clip": 0.5,
    "optimizer": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.1},
}
LORA = {"rank": 4, "alpha": 8, "dropout": 0}
PROJECTIONS = (*ATTENTION, *MLP)
# Elements of each gradient that are told beside its norm.
TOLD = 4


def rate(step: int, learning_rate: float) -> float:
    """The learning rate of a step, which counts from 0: a linear warm-up from 0, then linear decay to 0 behind the last step."""
    warmup = SETTING["warmup"]
    if step < warmup:
        return learning_rate * step / warmup
    return learning_rate * (1 - (step - warmup) / (STEPS - warmup))


def factor(number: int, kind: str, rows: int, columns: int) -> torch.Tensor:
    """A factor before the first step: element k is a · sin(1 + 0.7311 · k + 13 · number), rounded to float32; a is 1/√columns for A and
    0.05 for B. Projections are numbered layer by layer in the order of PROJECTIONS; A of projection n has number 2 · n, B 2 · n + 1."""
    amplitude = 1 / math.sqrt(columns) if kind == "A" else 0.05
    k = torch.arange(rows * columns, dtype=torch.float64)
    return (amplitude * torch.sin(1 + 0.7311 * k + 13 * number)).float().double().reshape(rows, columns)


class Adapted(Llama):
    """A model whose projections have low-rank factors beside them."""

    def __init__(self, model: Llama):
        super().__init__(model.config, model.weights)
        self.factors = {}
        rank = LORA["rank"]
        for number, (layer, name) in enumerate((l, n) for l in range(self.config.layers) for n in PROJECTIONS):
            cols, inner = self.weights[f"model.layers.{layer}.{name}.weight"].shape
            self.factors[f"{layer} {name} A"] = factor(2 * number, "A", rank, inner)
            self.factors[f"{layer} {name} B"] = factor(2 * number + 1, "B", cols, rank)

    def project(self, x, layer, name):
        a, b = (self.factors[f"{layer} {name} {kind}"] for kind in "AB")
        return super().project(x, layer, name) + LORA["alpha"] / LORA["rank"] * ((x @ a.T) @ b.T)


def curve(model: Llama, trained: dict, rows: torch.Tensor, learning_rate: float) -> dict:
    """Losses and gradient norms by step, and the gradients of the first step before clipping."""
    beta1, beta2, epsilon, decay = (SETTING["optimizer"][key] for key in ("beta1", "beta2", "epsilon", "weightDecay"))
    for tensor in trained.values():
        tensor.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained.values(), lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=decay)
    losses, norms, gradients = [], [], {}
    for step in range(STEPS):
        chosen = [(step * SETTING["batch"] + at) % len(rows) for at in range(SETTING["batch"])]
        loss = model.nll(rows[chosen]).mean()
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            gradients = {
                name: {"norm": tensor.grad.norm().item(), "first": tensor.grad.flatten()[:TOLD].tolist()}
                for name, tensor in trained.items()
            }
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), SETTING["clip"]).item())
        for group in optimizer.param_groups:
            group["lr"] = rate(step, learning_rate)
        optimizer.step()
    return {"learningRate": learning_rate, "losses": losses, "gradientNorms": norms, "gradients": gradients}


def training(model: Llama, rows: torch.Tensor) -> dict:
    """training.json; the model stays as it is."""
    copy = lambda: {name: values.clone() for name, values in model.weights.items()}
    full = Llama(model.config, copy())
    lora = Adapted(Llama(model.config, copy()))
    return {
        "version": 1,
        "setting": SETTING,
        "full": curve(full, full.weights, rows, 3e-3),
        "lora": {**LORA, **curve(lora, lora.factors, rows, 2e-2)},
    }
