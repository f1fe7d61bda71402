"""Repair without training of a model that loses one block: Prune&Comp's factor and ReplaceMe's matrix."""

import torch

from llama import NORMS, Llama

RULE = (
    "alpha: mean over samples, then over channels, of mean_t |h[removed + 1]| / mean_t |h[removed]| on the dense model. prune_and_comp: the "
    "embedding, and o_proj and down_proj with their biases of the blocks before the cut, times alpha (the gains of norms "
    "after sub-blocks where there are such norms before and after); the final norm's gain by alpha where the head is the "
    "embedding. stored: with new matrices rounded to the checkpoint's type, vectors not. replace_me: T = argmin "
    "||M T - (Z + M - Y)||, with M the output of the MLP before the cut, Y the hidden state after that block, Z the one after "
    "the removed block, over all tokens; down_proj becomes T^T down_proj, its bias T^T bias."
)


def states(model: Llama, tokens):
    with torch.no_grad():
        return model.hidden(tokens)


def alpha(model: Llama, tokens, removed: int) -> float:
    h = states(model, tokens)
    size = lambda x: x.abs().mean(1)  # [samples, hidden]
    return (size(h[removed + 1]) / size(h[removed])).mean(0).mean().item()


def can_rescale(model: Llama) -> bool:
    """Blocks that read the hidden state without a norm see its size."""
    return model.config.norms != "behind"


def can_replace(model: Llama) -> bool:
    """A norm after the MLP is in the way of a matrix in down_proj."""
    return model.config.norms == "before"


def prune_and_comp(model: Llama, factor: float, removed: int, stored=lambda w: w) -> Llama:
    """The model with the hidden state before block `removed` times `factor`; `stored` rounds matrices."""
    c, weights = model.config, dict(model.weights)
    offset = c.norm_offset

    def scale(name, by, around=0.0):
        if name in weights:
            value = by * (weights[name] + around) - around
            weights[name] = stored(value) if value.dim() == 2 else value

    scale("model.embed_tokens.weight", factor)
    if c.tied:
        scale("model.norm.weight", 1 / factor, offset)
    for layer in range(removed):
        block = f"model.layers.{layer}."
        if c.norms == "both":
            for name in NORMS["both"][1]:
                scale(f"{block}{name}.weight", factor, offset)
        else:
            for part in ("self_attn.o_proj", "mlp.down_proj"):
                scale(f"{block}{part}.weight", factor)
                scale(f"{block}{part}.bias", factor)
    return Llama(c, weights)


def replace_me(model: Llama, tokens, removed: int, stored=lambda w: w) -> Llama:
    """The model with the least-squares matrix in down_proj of the block before `removed`; `stored` rounds it."""
    before, weights = removed - 1, dict(model.weights)
    name = f"model.layers.{before}.mlp.down_proj"
    inputs = {}
    with torch.no_grad():
        h = model.hidden(tokens, tap=lambda layer, place, x: inputs.__setitem__((layer, place), x))
        out = model.project(inputs[before, "down_proj"], before, "mlp.down_proj")
    m, y, z = (x.flatten(0, 1) for x in (out, h[before + 1], h[removed + 1]))
    t = torch.linalg.solve(m.T @ m, m.T @ (z + m - y))
    weights[f"{name}.weight"] = stored(t.T @ weights[f"{name}.weight"])
    if f"{name}.bias" in weights:
        weights[f"{name}.bias"] = t.T @ weights[f"{name}.bias"]
    return Llama(model.config, weights)
