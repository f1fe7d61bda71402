"""Every number of a golden file, from its definition. `tokens` are the calibration windows [samples, seqLen]."""

import math

import torch

from llama import ATTENTION, MLP, Llama


def perplexity(model: Llama, tokens, **leave_out) -> float:
    with torch.no_grad():
        return model.nll(tokens, **leave_out).mean().exp().item()


def removal(model: Llama, tokens, part: str) -> list:
    """Perplexity without block l ('without'), its attention ('without_attention') or its MLP ('without_mlp')."""
    return [perplexity(model, tokens, **{part: (layer,)}) for layer in range(model.config.layers)]


def similarity(a, b):
    """Cosine over the last axis."""
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


def influence(model: Llama, tokens) -> list:
    """1 − mean over all tokens of cos(h_l, h_{l+1})."""
    with torch.no_grad():
        h = model.hidden(tokens)
    return [1 - similarity(a, b).mean().item() for a, b in zip(h, h[1:])]


def angular(model: Llama, tokens) -> dict:
    """By n: mean over samples of arccos(cos(h_l, h_{l+n})) / π at the last token, for each start l."""
    with torch.no_grad():
        h = [x[:, -1] for x in model.hidden(tokens)]
    layers = model.config.layers
    return {
        str(n): [
            (similarity(h[l], h[l + n]).clamp(-1, 1).arccos() / math.pi).mean().item() for l in range(layers - n + 1)
        ]
        for n in range(1, layers)
    }


def magnitude(model: Llama) -> list:
    """Σ|W| over the block's projections and norm weights, without biases."""
    return [sum(w.abs().sum().item() for w in model.block(l).values()) for l in range(model.config.layers)]


def with_gradients(model: Llama, tokens) -> Llama:
    """The model with ∂L/∂W in every weight's `grad`; L is the mean loss over all predicted tokens."""
    weights = {name: w.clone().requires_grad_() for name, w in model.weights.items()}
    copy = Llama(model.config, weights)
    copy.nll(tokens).mean().backward()
    return copy


def taylor(graded: Llama) -> list:
    """Σ|W ⊙ ∂L/∂W| over the block's projections and norm weights, without biases."""
    return [
        sum((w * w.grad).abs().sum().item() for w in graded.block(l).values()) for l in range(graded.config.layers)
    ]


def gradient_norms(graded: Llama) -> dict:
    """Frobenius norm of ∂L/∂W by tensor."""
    return {name: w.grad.norm().item() for name, w in graded.weights.items()}


def llm_pruner(graded: Llama) -> dict:
    """Σ|W ⊙ ∂L/∂W| per coupled structure: a key/value group with its query heads; an MLP neuron."""
    c = graded.config
    heads, neurons = [], []
    for layer in range(c.layers):
        salience = {name: (w * w.grad).abs() for name, w in graded.block(layer).items()}
        q, k, v, o = (salience[name] for name in ATTENTION)
        gate, up, down = (salience[name] for name in MLP)
        rows = q.sum(1) + o.sum(0)
        groups = rows.view(c.kv_heads, -1).sum(1) + (k.sum(1) + v.sum(1)).view(c.kv_heads, -1).sum(1)
        heads.append(groups.tolist())
        neurons.append((gate.sum(1) + up.sum(1) + down.sum(0)).tolist())
    return {"heads": heads, "neurons": neurons}


def activations(model: Llama, tokens) -> dict:
    """Inputs of o_proj and down_proj on the dense model: (layer, place) → [samples, seqLen, channels]."""
    taken = {}
    with torch.no_grad():
        model.hidden(tokens, tap=lambda layer, place, x: taken.__setitem__((layer, place), x))
    return taken


def wanda_sp(model: Llama, inputs: dict) -> dict:
    """s_j = mean over samples of Σ_tokens X_j²; a channel is the mean over output rows of |W|·√s_j."""
    c = model.config
    score = lambda w, x: (w.abs() * x.pow(2).sum(1).mean(0).sqrt()).mean(0)
    heads, neurons = [], []
    for layer in range(c.layers):
        w = model.block(layer)
        heads.append(score(w["self_attn.o_proj"], inputs[layer, "o_proj"]).view(c.heads, -1).sum(1).tolist())
        neurons.append(score(w["mlp.down_proj"], inputs[layer, "down_proj"]).tolist())
    return {"heads": heads, "neurons": neurons}


def flap(model: Llama, inputs: dict) -> dict:
    """Fluctuation around the mean b_j, times Σ_i W_ij² (squared for o_proj), standardized within each layer."""
    c = model.config
    samples = inputs[0, "o_proj"].shape[0]
    standard = lambda x: (x - x.mean()) / x.std()
    result = {"heads": [], "neurons": [], "baseline_o": [], "baseline_down": []}
    for layer in range(c.layers):
        w = model.block(layer)
        metric = {}
        for place, weight in (("o_proj", w["self_attn.o_proj"]), ("down_proj", w["mlp.down_proj"])):
            x = inputs[layer, place]
            mean = x.mean((0, 1))
            result["baseline_o" if place == "o_proj" else "baseline_down"].append(mean.tolist())
            metric[place] = (x - mean).pow(2).sum((0, 1)) / (samples - 1) * weight.pow(2).sum(0)
        result["heads"].append(standard(metric["o_proj"] ** 2).view(c.heads, -1).mean(1).tolist())
        result["neurons"].append(standard(metric["down_proj"]).tolist())
    return result


def sleb(model: Llama, tokens, count: int) -> dict:
    """Greedy: each step removes the block, neither the first nor the last that remain, that costs least."""
    removed, ppl = [], []
    for _ in range(count):
        inner = [l for l in range(model.config.layers) if l not in removed][1:-1]
        cost = {l: perplexity(model, tokens, without=(*removed, l)) for l in inner}
        best = min(inner, key=cost.get)
        removed.append(best)
        ppl.append(cost[best])
    return {"removed": removed, "ppl": ppl}


def measure(model: Llama, tokens, sleb_count: int) -> dict:
    """All criteria of one model, by the names that golden.json uses."""
    graded = with_gradients(model, tokens)
    inputs = activations(model, tokens)
    return {
        "base_ppl": perplexity(model, tokens),
        "ppl": removal(model, tokens, "without"),
        "ppl_attention": removal(model, tokens, "without_attention"),
        "ppl_mlp": removal(model, tokens, "without_mlp"),
        "block_influence": influence(model, tokens),
        "angular": angular(model, tokens),
        "magnitude": magnitude(model),
        "taylor": taylor(graded),
        "grad_norm": gradient_norms(graded),
        "sleb": sleb(model, tokens, sleb_count),
        "wanda_sp": wanda_sp(model, inputs),
        "flap": flap(model, inputs),
        "llm_pruner": llm_pruner(graded),
    }
