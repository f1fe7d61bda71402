# SPDX-License-Identifier: MIT
"""Applies the pruning of recipe.json to a full checkpoint, and saves the pruned model as a Hugging Face folder.

    python3 apply_recipe.py --out pruned
    python3 apply_recipe.py --out pruned --model path/or/hub-name     another checkpoint of the same shape
    python3 apply_recipe.py --out pruned --model larger --stretch     a larger model of the family, blocks only

Needs torch, transformers and safetensors (tested with transformers 5.18), and disk space for the result. Tensors are
read one by one: memory for one file of 5 GB is enough, whatever the size of the model.

A plan names blocks, query heads and neurons of one model by their indices, counted from 0. For a model with other
numbers of blocks, heads or neurons the script says which it expected. --stretch removes the blocks at the same
relative depth instead. That is a guess: score the larger model's own blocks before you trust it.

Repairs: factors (Prune&Comp) stand in recipe.json, tensors of the variant's own (FLAP's biases, ReplaceMe, trained
weights) in own.safetensors beside it. Both belong to the model that they were computed on.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
SHARD_BYTES = 5_000_000_000
BLOCK = re.compile(r"^(?P<prefix>(?:.*\.)?)layers\.(?P<index>\d+)\.(?P<rest>.+)$")
ATTENTION_NORMS = {"input_layernorm", "post_attention_layernorm"}
COMPANIONS = ("tokenizer*", "*.model", "added_tokens.json", "special_tokens_map.json", "generation_config.json", "*.jinja")


def stop(message):
    sys.exit(f"apply_recipe.py: {message}")


def local_folder(model, revision):
    """The folder of a checkpoint: a path, or what the Hub's client downloads."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, revision=revision, allow_patterns=["*.json", "*.safetensors", "*.model", "*.jinja"]))


def stretched(blocks, old, new):
    """The blocks of a model of `new` blocks at the relative depths of these blocks of one of `old`."""
    return [j for j in range(new) if int((j + 0.5) * old / new) in blocks]


def fitted_plan(recipe, config, stretch):
    """The plan for this model. Stops where its indices mean other units here."""
    plan, shape = recipe["plan"], recipe["base"]
    removed = {kind: list(plan[kind]) for kind in ("removeBlocks", "removeAttention", "removeMlp")}
    heads, neurons = plan.get("keepHeads"), plan.get("keepNeurons")
    found = {"blocks": config.num_hidden_layers}
    wanted = {"blocks": shape["blocks"]}
    if heads:
        found |= {"heads": config.num_attention_heads, "key/value heads": config.num_key_value_heads}
        wanted |= {"heads": shape["heads"], "key/value heads": shape["kvHeads"]}
    if neurons:
        found["neurons"], wanted["neurons"] = config.intermediate_size, shape["neurons"]
    if found != wanted:
        if not stretch:
            stop(f"the plan is for a model with {wanted}, this one has {found}. Make a plan for it, or try --stretch.")
        if heads or neurons:
            stop("--stretch moves whole blocks and sub-blocks; heads and neurons of another model have other meanings. "
                 "Score its heads and neurons, and make a recipe from them.")
        if recipe["rescalings"] or recipe["ownTensors"]:
            stop("the repair was computed on the recipe's own model. Remove it from recipe.json, and repair this model itself.")
        new = config.num_hidden_layers
        removed = {kind: stretched(set(layers), shape["blocks"], new) for kind, layers in removed.items()}
        print(f"stretched from {shape['blocks']} to {new} blocks: {removed}")
    return removed, heads, neurons


def rows_of(indices, size):
    return torch.tensor([index * size + channel for index in indices for channel in range(size)])


class Cut:
    """What the plan does to one tensor."""

    def __init__(self, recipe, config, stretch):
        self.removed, self.heads, self.neurons = fitted_plan(recipe, config, stretch)
        self.config = config
        self.head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.group = config.num_attention_heads // config.num_key_value_heads
        gone = set(self.removed["removeBlocks"])
        self.kept = [block for block in range(config.num_hidden_layers) if block not in gone]
        self.new_index = {old: new for new, old in enumerate(self.kept)}
        self.rescalings = recipe["rescalings"]
        self.total = 1.0
        for each in self.rescalings:
            self.total *= each["factor"]
        self.offset = recipe["normOffset"]
        self.placement = recipe["normPlacement"]

    def factor(self, block):
        """By what the output of a block grows."""
        product = 1.0
        for each in self.rescalings:
            if block < each["before"]:
                product *= each["factor"]
        return product

    def name(self, name):
        """The name in the result; None for a tensor of a removed part."""
        match = BLOCK.match(name)
        if not match:
            return name
        block, rest = int(match["index"]), match["rest"]
        part = rest.split(".")[0]
        if block not in self.new_index:
            return None
        norms = ATTENTION_NORMS if self.placement else {"input_layernorm"}
        if block in self.removed["removeAttention"] and (part == "self_attn" or part in norms):
            return None
        if block in self.removed["removeMlp"] and part != "self_attn" and part not in norms:
            return None
        return f"{match['prefix']}layers.{self.new_index[block]}.{rest}"

    def values(self, name, tensor):
        """The rows and columns that stay, rescaled."""
        match = BLOCK.match(name)
        if not match:
            return self.outside(name, tensor)
        block, rest = int(match["index"]), match["rest"]
        heads = self.heads[block] if self.heads else None
        neurons = self.neurons[block] if self.neurons else None
        kind = rest.split(".")[-2]
        if heads is not None and kind in ("q_proj", "o_proj"):
            tensor = tensor.index_select(1 if kind == "o_proj" and tensor.dim() == 2 else 0, rows_of(heads, self.head_dim)) \
                if not (kind == "o_proj" and tensor.dim() == 1) else tensor
        if heads is not None and kind in ("k_proj", "v_proj"):
            groups = sorted({head // self.group for head in heads})
            tensor = tensor.index_select(0, rows_of(groups, self.head_dim))
        if neurons is not None and kind in ("gate_proj", "up_proj"):
            tensor = tensor.index_select(0, torch.tensor(neurons))
        if neurons is not None and kind == "down_proj" and tensor.dim() == 2:
            tensor = tensor.index_select(1, torch.tensor(neurons))
        return self.scaled(tensor, self.factor(block), kind)

    def scaled(self, tensor, factor, kind):
        if factor == 1.0:
            return tensor
        if self.placement == "both":
            # A norm on the output undoes factors before it: its gain is scaled instead.
            if kind not in ("post_attention_layernorm", "post_feedforward_layernorm"):
                return tensor
            return factor * (tensor.float() + self.offset) - self.offset
        if kind not in ("o_proj", "down_proj"):
            return tensor
        product = tensor.float() * factor
        return product if tensor.dim() == 1 else product.to(tensor.dtype)

    def outside(self, name, tensor):
        if self.total == 1.0:
            return tensor
        if name.endswith("embed_tokens.weight"):
            return (tensor.float() * self.total).to(tensor.dtype)
        if name.endswith("norm.weight") and self.config.tie_word_embeddings:
            # The head is the embedding: the norm before it undoes the factor.
            return (tensor.float() + self.offset) / self.total - self.offset
        return tensor


def tensors_in(folder):
    """(name, tensor) of every safetensors file of a folder, one after the other."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        stop(f"no safetensors files in {folder}")
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():
                yield name, opened.get_tensor(name)


def write_shards(tensors, out):
    """Saves (name, tensor) pairs in files of at most SHARD_BYTES, with their index."""
    shards, held, size, total = [], {}, 0, 0

    def flush():
        path = out / f"part-{len(shards) + 1}.safetensors"
        save_file(held, path, metadata={"format": "pt"})
        shards.append((path, list(held)))

    shapes = {}
    for name, tensor in tensors:
        bytes_ = tensor.numel() * tensor.element_size()
        if held and size + bytes_ > SHARD_BYTES:
            flush()
            held, size = {}, 0
        held[name] = tensor.contiguous()
        shapes[name] = tuple(tensor.shape)
        size, total = size + bytes_, total + bytes_
    flush()
    weight_map = {}
    for index, (path, names) in enumerate(shards, 1):
        name = "model.safetensors" if len(shards) == 1 else f"model-{index:05}-of-{len(shards):05}.safetensors"
        path.rename(out / name)
        weight_map |= {each: name for each in names}
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (out / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    return shapes


BIASES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def new_config(raw, config, cut, shapes, recipe):
    """config.json of the result, and whether its blocks differ, so that the modeling file is needed."""
    blocks = range(len(cut.kept))

    def rows(block, projection):
        found = [dims[0] for name, dims in shapes.items() if name.endswith(f"layers.{block}.{projection}.weight")]
        return found[0] if found else 0

    def biases(block):
        return [each for each in BIASES if any(re.search(rf"layers\.{block}\.\w+\.{each}\.bias$", name) for name in shapes)]

    heads = [rows(block, "self_attn.q_proj") // cut.head_dim for block in blocks]
    kv_heads = [rows(block, "self_attn.k_proj") // cut.head_dim for block in blocks]
    neurons = [rows(block, "mlp.gate_proj") for block in blocks]
    held = [biases(block) for block in blocks]
    out = {key: value for key, value in raw.items() if key not in ("auto_map", "secateur")}
    types = getattr(config, "layer_types", None)
    if types:
        out["layer_types"] = [types[block] for block in cut.kept]
        out.pop("sliding_window_pattern", None)
    if isinstance(out.get("max_window_layers"), int):
        limit = out["max_window_layers"]
        out["max_window_layers"] = limit if limit >= config.num_hidden_layers else sum(block < limit for block in cut.kept)
    widest = heads.index(max(heads))
    out |= {
        "num_hidden_layers": len(cut.kept),
        "num_attention_heads": heads[widest] or config.num_attention_heads,
        "num_key_value_heads": kv_heads[widest] or config.num_key_value_heads,
        "head_dim": cut.head_dim,
        "intermediate_size": max(neurons) or config.intermediate_size,
    }
    was = [each for each in BIASES if any(name.endswith(f"{each}.bias") for name in recipe["baseTensors"])]
    differ = len(set(heads)) > 1 or len(set(kv_heads)) > 1 or len(set(neurons)) > 1 or 0 in heads or 0 in neurons
    differ = differ or any(each != was for each in held)
    differ = differ or (out["num_attention_heads"] != config.num_attention_heads
                        and config.hidden_size % out["num_attention_heads"] != 0)
    if differ:
        out |= {
            "architectures": ["SecateurForCausalLM"],
            "model_type": "secateur",
            "auto_map": {
                "AutoConfig": "modeling_secateur.SecateurConfig",
                "AutoModelForCausalLM": "modeling_secateur.SecateurForCausalLM",
            },
            "secateur": {
                "version": 1,
                "model_type": raw["model_type"],
                "num_attention_heads": heads,
                "num_key_value_heads": kv_heads,
                "intermediate_size": neurons,
                "biases": held,
            },
        }
    return out, differ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--recipe", type=Path, default=HERE / "recipe.json")
    parser.add_argument("--model", help="path or Hub name; by default the recipe's")
    parser.add_argument("--revision", help="of a model of the Hub; by default the recipe's")
    parser.add_argument("--stretch", action="store_true", help="blocks at the same relative depth of another model")
    args = parser.parse_args()
    recipe = json.loads(args.recipe.read_text())
    model = args.model or recipe["model"]["hub"]
    if model is None:
        stop("the recipe's model is in no Hub: give its folder with --model.")
    revision = args.revision or (None if args.model else recipe["model"]["revision"])
    folder = local_folder(model, revision)
    raw = json.loads((folder / "config.json").read_text())
    if "text_config" in raw:
        stop("this is a language model beside a vision tower: save the language model alone first.")
    if raw["model_type"] != recipe["model"]["family"]:
        stop(f"the recipe is for the family {recipe['model']['family']!r}, this model is {raw['model_type']!r}.")
    config = AutoConfig.from_pretrained(folder)
    cut = Cut(recipe, config, args.stretch)
    own = {}
    if recipe["ownTensors"]:
        own = dict(tensors_in_file(args.recipe.parent / "own.safetensors"))
    args.out.mkdir(parents=True)
    base_names = []

    def result():
        for name, tensor in tensors_in(folder):
            if name == "lm_head.weight" and config.tie_word_embeddings:
                continue
            base_names.append(name)
            new = cut.name(name)
            if new is not None and new not in own:
                yield new, cut.values(name, tensor)
        yield from own.items()

    shapes = write_shards(result(), args.out)
    recipe["baseTensors"] = base_names
    written, differ = new_config(raw, config, cut, shapes, recipe)
    (args.out / "config.json").write_text(json.dumps(written, indent=2))
    if differ:
        shutil.copy(HERE / "modeling_secateur.py", args.out)
    for pattern in COMPANIONS:
        for file in folder.glob(pattern):
            shutil.copy(file, args.out)
    check(args.out, differ)


def tensors_in_file(path):
    with safe_open(path, framework="pt") as opened:
        for name in opened.keys():
            yield name, opened.get_tensor(name)


def check(out, differ):
    """Builds the model without its weights, and compares names and sizes with what was written."""
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(out, trust_remote_code=differ)
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=differ)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
    found = {}
    for file in out.glob("*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            found |= {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}
    if wanted != found:
        stop(f"the result does not fit its configuration: {sorted(set(wanted.items()) ^ set(found.items()))[:4]}")
    parameters = sum(tensor.numel() for tensor in model.parameters())
    print(f"{out}: {len(model.model.layers)} blocks, {parameters:,} parameters"
          + (", load it with trust_remote_code=True" if differ else ""))


if __name__ == "__main__":
    main()
