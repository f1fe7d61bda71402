"""Twenty steps of distillation, and of training with loss on responses only, by PyTorch in float64.

The student is the checkpoint without its middle block, the teacher the whole one. Rows are those of golden.json in their order,
`batch` of them in a step. AdamW (torch.optim) decays every trained tensor; gradients are clipped by their global norm.
"""

import torch
import torch.nn.functional as F

from llama import Llama

# A grouped-query model, one with biases, one with norms of queries and keys, and one whose logits have a soft cap.
DISTILLED = ("tiny-a", "tiny-biases", "tiny-qwen3", "tiny-gemma2")
STEPS = 20
SETTING = {
    "batch": 2,
    "steps": STEPS,
    "learningRate": 3e-3,
    "clip": 0.5,
    "optimizer": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.01},
}
DISTILL = {"temperature": 2, "weight": 0.5}
# By row, the first token whose loss counts: in the third row none does.
FIRST_TARGETS = (17, 40, 64, 5)


def parts_of_distillation(student: Llama, teacher: Llama, rows: torch.Tensor, **leave_out) -> dict:
    """Means over the predicted tokens: loss = (1 − weight) · cross entropy + weight · temperature² · divergence."""
    temperature, weight = DISTILL["temperature"], DISTILL["weight"]
    own = student.logits(rows, **leave_out)[:, :-1]
    with torch.no_grad():
        taught = teacher.logits(rows)[:, :-1]
    cross_entropy = F.cross_entropy(own.flatten(0, 1), rows[:, 1:].flatten())
    log_own, log_taught = ((logits / temperature).log_softmax(-1) for logits in (own, taught))
    divergence = (log_taught.exp() * (log_taught - log_own)).sum(-1).mean()
    loss = (1 - weight) * cross_entropy + weight * temperature**2 * divergence
    return {"loss": loss, "crossEntropy": cross_entropy, "divergence": divergence}


def parts_of_responses(student: Llama, rows: torch.Tensor, chosen: list, **leave_out) -> dict:
    """The mean loss over the tokens from each row's first target on."""
    nll = student.nll(rows, **leave_out)
    first = torch.tensor([FIRST_TARGETS[row] for row in chosen])
    counted = torch.arange(1, rows.shape[1])[None, :] >= first[:, None]
    return {"loss": nll[counted].mean()}


def curve(trained: dict, rows: torch.Tensor, parts) -> dict:
    """By step the parts of the loss and the norm of the gradients before clipping."""
    beta1, beta2, epsilon, decay = (SETTING["optimizer"][key] for key in ("beta1", "beta2", "epsilon", "weightDecay"))
    for tensor in trained.values():
        tensor.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        trained.values(), lr=SETTING["learningRate"], betas=(beta1, beta2), eps=epsilon, weight_decay=decay
    )
    steps = []
    for step in range(STEPS):
        chosen = [(step * SETTING["batch"] + at) % len(rows) for at in range(SETTING["batch"])]
        found = parts(rows[chosen], chosen)
        optimizer.zero_grad()
        found["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), SETTING["clip"])
        steps.append({**{name: value.item() for name, value in found.items()}, "gradientNorm": norm.item()})
        optimizer.step()
    return {"steps": steps}


def distillation(model: Llama, rows: torch.Tensor) -> dict:
    """distillation.json; the model stays as it is."""
    removed = model.config.layers // 2
    cut = {"without": (removed,)}

    def student() -> tuple:
        copy = Llama(model.config, {name: values.clone() for name, values in model.weights.items()})
        left = {name: w for name, w in copy.weights.items() if not name.startswith(f"model.layers.{removed}.")}
        return copy, left

    distilled, weights = student()
    responding, response_weights = student()
    return {
        "version": 1,
        "setting": SETTING,
        "removed": removed,
        "distill": {
            **DISTILL,
            **curve(weights, rows, lambda batch, _: parts_of_distillation(distilled, model, batch, **cut)),
        },
        "responses": {
            "firstTargets": FIRST_TARGETS,
            **curve(
                response_weights, rows, lambda batch, chosen: parts_of_responses(responding, batch, chosen, **cut)
            ),
        },
    }
