"""Width pruning: which heads and neurons each method keeps, and the model without the others.

A cut is {"heads": [by layer], "neurons": [by layer]}: ascending indices that stay. Rows and columns are really removed;
`masked` zeroes the columns of o_proj and down_proj instead, which must give the same logits.
"""

import torch

from llama import ATTENTION, MLP, Llama
from measures import activations, flap, llm_pruner, wanda_sp, with_gradients

SHARES = (0.35, 0.5)
METHODS = ("wanda-sp", "wanda-sp-sequential", "flap", "llm-pruner", "magnitude-sp")
RULE = (
    "Uniform methods: each layer loses int(share * n) of its n units (llm-pruner: n - int(n * (1 - share))), those with the "
    "lowest scores, earlier indices first among equals. Units of an MLP are neurons. Units of an attention, by `heads_by`: 'groups', a key/value head with its query heads, "
    "whose score is the sum of theirs (llm_pruner scores groups); 'within-groups', the query heads of each key/value head, each "
    "key/value head losing equally many; 'none', heads stay. flap: all groups (single query heads where there is one key/value "
    "head) and neurons of all layers in one descending order; a neuron costs 1, a group the parameters of its rows and columns "
    "of q, k, v and o by those of a neuron's, a single query head those of q and o; a group scores the mean of its heads. The "
    "threshold is the score at which the running sum of costs comes closest to (1 - share) of all; what scores higher stays, and "
    "so do the best attention unit and the best neuron of every layer. wanda-sp-sequential: scores of a layer from the outputs "
    "of the pruned layers before it, within the layer dense. Scores are those of golden.json; magnitude-sp: the 2-norm of a "
    "column of o_proj (summed over a head) or down_proj. flap_bias: o_proj and down_proj gain the bias W[:, cut] @ mean(x)[cut] "
    "of the dense model."
)


def magnitude_sp(model: Llama) -> dict:
    """The 2-norm of each column of o_proj and down_proj; a head is the sum over its channels."""
    c = model.config
    norms = lambda name: [model.block(layer)[name].norm(dim=0) for layer in range(c.layers)]
    heads = [n.view(c.heads, -1).sum(1).tolist() for n in norms("self_attn.o_proj")]
    return {"heads": heads, "neurons": [n.tolist() for n in norms("mlp.down_proj")]}


def lowest_removed(scores: list, share: float, method: str) -> list:
    """Indices that stay when a share of the scores goes, the lowest."""
    n = len(scores)
    gone = n - int(n * (1 - share)) if method == "llm-pruner" else int(share * n)
    return sorted(sorted(range(n), key=lambda i: scores[i])[gone:])


def heads_by(model: Llama, method: str, share: float) -> str:
    """The unit in which an attention loses heads: see RULE. Both units occur with every family that has groups."""
    c = model.config
    if c.qk_norm == "all" or (method == "llm-pruner" and c.kv_heads == 1):
        return "none"
    within = method == "magnitude-sp" if share == 0.5 else method.startswith("wanda-sp")
    return "within-groups" if c.kv_heads == 1 or within else "groups"


def heads_kept(model: Llama, scores: list, share: float, method: str, unit: str) -> list:
    """Query heads of one layer that stay; `scores` are of query heads, or of groups."""
    c = model.config
    size = c.heads // c.kv_heads
    if unit == "none":
        return list(range(c.heads))
    if unit == "within-groups":
        kept = [lowest_removed(scores[g * size : (g + 1) * size], share, method) for g in range(c.kv_heads)]
        return [g * size + i for g, heads in enumerate(kept) for i in heads]
    groups = scores if len(scores) == c.kv_heads else [sum(scores[g * size : (g + 1) * size]) for g in range(c.kv_heads)]
    return [g * size + i for g in lowest_removed(groups, share, method) for i in range(size)]


def uniform(model: Llama, scores: dict, share: float, method: str, unit: str) -> dict:
    return {
        "heads": [heads_kept(model, layer, share, method, unit) for layer in scores["heads"]],
        "neurons": [lowest_removed(layer, share, method) for layer in scores["neurons"]],
    }


def sequential(model: Llama, tokens, share: float, unit: str) -> dict:
    """Wanda-sp, each layer scored on what the pruned layers before it put out."""
    c = model.config
    cut = {"heads": [list(range(c.heads))] * c.layers, "neurons": [list(range(c.ffn))] * c.layers}
    for layer in range(c.layers):
        # Masked, not removed: the layers to come have all their channels, and the scores are read in one form.
        scores = wanda_sp(model, activations(masked(model, cut), tokens))
        heads = heads_kept(model, scores["heads"][layer], share, "wanda-sp", unit)
        neurons = lowest_removed(scores["neurons"][layer], share, "wanda-sp")
        at = lambda rows, row, layer=layer: [*rows[:layer], row, *rows[layer + 1 :]]
        cut = {"heads": at(cut["heads"], heads), "neurons": at(cut["neurons"], neurons)}
    return cut


def across(model: Llama, scores: dict, share: float, unit: str) -> dict:
    """FLAP's one order over all layers."""
    c = model.config
    size = 1 if unit == "within-groups" else c.heads // c.kv_heads
    cost = (2 * size + (2 if unit == "groups" else 0)) * c.head_dim / 3  # · hidden, by 3 · hidden of a neuron
    units = []  # (score, cost, layer, kind, index)
    for layer in range(c.layers):
        if unit != "none":
            heads = torch.tensor(scores["heads"][layer]).view(-1, size).mean(1).tolist()
            units += [(score, cost, layer, "heads", i) for i, score in enumerate(heads)]
        units += [(score, 1.0, layer, "neurons", i) for i, score in enumerate(scores["neurons"][layer])]
    units.sort(key=lambda u: -u[0])
    running = torch.tensor([u[1] for u in units]).cumsum(0)
    threshold = units[(running - (1 - share) * running[-1]).abs().argmin().item()][0]
    best = {}
    for u in units:
        best.setdefault(u[2:4], u)
    stays = lambda *place: sorted(u[4] for u in units if u[2:4] == place and (u[0] > threshold or u is best[place]))
    heads = lambda layer: [g * size + i for g in stays(layer, "heads") for i in range(size)]
    return {
        "heads": [list(range(c.heads)) if unit == "none" else heads(layer) for layer in range(c.layers)],
        "neurons": [stays(layer, "neurons") for layer in range(c.layers)],
    }


def choose(model: Llama, tokens, method: str, share: float) -> dict:
    """The cut of a method; see RULE."""
    unit = heads_by(model, method, share)
    if method == "wanda-sp-sequential":
        return sequential(model, tokens, share, unit)
    if method == "flap":
        return across(model, flap(model, activations(model, tokens)), share, unit)
    scores = {
        "wanda-sp": lambda: wanda_sp(model, activations(model, tokens)),
        "llm-pruner": lambda: llm_pruner(with_gradients(model, tokens)),
        "magnitude-sp": lambda: magnitude_sp(model),
    }[method]()
    return uniform(model, scores, share, method, unit)


def channels(heads: list, head_dim: int) -> list:
    return [head * head_dim + i for head in heads for i in range(head_dim)]


def removed(model: Llama, cut: dict) -> Llama:
    """The model with the rows and columns of what goes really removed."""
    c, weights = model.config, dict(model.weights)
    size = c.heads // c.kv_heads
    for layer, (heads, neurons) in enumerate(zip(cut["heads"], cut["neurons"])):
        queries = channels(heads, c.head_dim)
        keys = channels(sorted({head // size for head in heads}), c.head_dim)
        rows = dict(zip((*ATTENTION[:3], *MLP[:2]), (queries, keys, keys, neurons, neurons)))
        for part, index in rows.items():
            for name in (f"model.layers.{layer}.{part}.weight", f"model.layers.{layer}.{part}.bias"):
                if name in weights:
                    weights[name] = weights[name][index]
        for part, index in ((ATTENTION[3], queries), (MLP[2], neurons)):
            name = f"model.layers.{layer}.{part}.weight"
            weights[name] = weights[name][:, index]
    return Llama(c, weights)


def masked(model: Llama, cut: dict) -> Llama:
    """The whole model with zeros in the columns of what goes."""
    c, weights = model.config, dict(model.weights)
    for layer, (heads, neurons) in enumerate(zip(cut["heads"], cut["neurons"])):
        for part, index in ((ATTENTION[3], channels(heads, c.head_dim)), (MLP[2], neurons)):
            name = f"model.layers.{layer}.{part}.weight"
            stays = torch.zeros(weights[name].shape[1])
            stays[index] = 1
            weights[name] = weights[name] * stays
    return Llama(c, weights)


def with_flap_bias(model: Llama, tokens, cut: dict) -> Llama:
    """The cut model, o_proj and down_proj with a bias in place of the mean of what they lost."""
    c, inputs, small = model.config, activations(model, tokens), removed(model, cut)
    for layer, (heads, neurons) in enumerate(zip(cut["heads"], cut["neurons"])):
        parts = ((ATTENTION[3], "o_proj", channels(heads, c.head_dim)), (MLP[2], "down_proj", neurons))
        for part, place, stay in parts:
            name = f"model.layers.{layer}.{part}"
            gone = sorted(set(range(model.weights[f"{name}.weight"].shape[1])) - set(stay))
            if gone:
                mean = inputs[layer, place].mean((0, 1))[gone]
                bias = model.weights[f"{name}.weight"][:, gone] @ mean
                small.weights[f"{name}.bias"] = small.weights.get(f"{name}.bias", 0) + bias
    return small
