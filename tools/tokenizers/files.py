"""Makes fixtures/files.json: what transformers' AutoTokenizer makes of tokenizer.json with other files beside it. Needs
`pip install transformers tokenizers` (made with 5.18.0 and 0.23.2)."""
import json, pathlib, shutil, tempfile
import transformers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
here = pathlib.Path(__file__).parent / "fixtures"
tokenizer = json.loads((here / "llama2-like.json").read_text())["tokenizer"]
texts = ["<|im_start|>Tom<|im_end|>", " Tom", "a <s> b</s>", "", "x <|im_start|> y <pad>z", "<|im_end|><|im_start|>"]
fast = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def token(content, **more):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True, **more}


def without(record, *keys):
    return {key: value for key, value in record.items() if key not in keys}


def changed(**parts):
    return {**tokenizer, **parts}


size = len(tokenizer["model"]["vocab"])
start, end = token("<|im_start|>"), token("<|im_end|>")
both = {str(size): start, str(size + 1): end}
plain = lambda content: without(token(content), "special")
added = lambda content, id, **more: {"id": id, **token(content, **more)}
folders = {
    "no configuration": {},
    "added_tokens_decoder": {"config": {**fast, "added_tokens_decoder": both}},
    "added_tokens_decoder, not by their order": {"config": {**fast, "added_tokens_decoder": {str(size + 90): end, str(size): start}}},
    "added_tokens_decoder with ids of others": {"config": {**fast, "added_tokens_decoder": {"5": end, "1": start}}},
    "added_tokens_decoder that is not special": {"config": {**fast, "added_tokens_decoder": {"5": token("Tom", special=False, normalized=True)}}},
    "added_tokens_decoder that changes one": {"config": {**fast, "added_tokens_decoder": {"1": token("<s>", lstrip=True, rstrip=True), "2": token("</s>")}}},
    "added_tokens_decoder and the older files": {"config": {**fast, "added_tokens_decoder": {str(size): start}}, "added": {"<|im_end|>": size + 1}, "map": {"pad_token": "<pad>"}},
    "empty added_tokens_decoder and the older files": {"config": {**fast, "added_tokens_decoder": {}}, "added": {"<|im_start|>": size}},
    "added_tokens.json": {"config": fast, "added": {"<|im_start|>": size, "<|im_end|>": size + 1}},
    "added_tokens.json, not by their order": {"config": fast, "added": {"<|im_end|>": size + 1, "<|im_start|>": size}},
    "added_tokens.json with an id of tokenizer.json": {"config": fast, "added": {"<|im_start|>": 1, "<|im_end|>": size}},
    "added_tokens.json, special by the map": {"config": fast, "added": {"<|im_start|>": size, "<|im_end|>": size + 1}, "map": {"bos_token": "<|im_start|>", "additional_special_tokens": ["<|im_end|>"]}},
    "special_tokens_map.json": {"config": fast, "map": {"bos_token": "<|im_start|>", "eos_token": plain("<|im_end|>"), "pad_token": "<pad>"}},
    "special_tokens_map.json without configuration": {"map": {"bos_token": "<s>", "eos_token": "<|im_end|>"}},
    "additional_special_tokens of the map": {"config": fast, "map": {"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}},
    "extra_special_tokens of the map": {"config": fast, "map": {"extra_special_tokens": ["<|im_start|>", plain("<|im_end|>")]}},
    "additional_special_tokens": {"config": {**fast, "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}},
    "extra_special_tokens": {"config": {**fast, "extra_special_tokens": ["<|im_end|>", "<|im_start|>"]}},
    "extra_special_tokens by name": {"config": {**fast, "extra_special_tokens": {"image_token": "<|im_start|>", "other": "<|im_end|>"}}},
    "tokens of some models only": {"config": {**fast, "image_token": "<|im_start|>", "boi_token": "<|im_end|>", "pad_token": "<pad>"}},
    "a start token that is new": {"config": {**fast, "bos_token": "<|im_start|>"}},
    "a start token as a record": {"config": {**fast, "bos_token": {"__type": "AddedToken", **plain("<|im_start|>")}}},
    "no start token": {"config": without(fast, "bos_token")},
    "named tokens that tokenizer.json does not add": {"config": fast, "tokenizer": changed(added_tokens=[])},
    "no added tokens at all": {"config": {"tokenizer_class": "PreTrainedTokenizerFast"}, "tokenizer": changed(added_tokens=[])},
    "a token beyond the others": {"config": fast, "tokenizer": changed(added_tokens=tokenizer["added_tokens"] + [added("<pad>", size + 700)])},
    "split_special_tokens": {"config": {**fast, "split_special_tokens": True}},
    "clean_up_tokenization_spaces": {"config": {**fast, "clean_up_tokenization_spaces": True}},
    "a chat template": {"config": {**fast, "chat_template": "{{ messages }}", "added_tokens_decoder": both}},
    **{f"{name}: {json.dumps(flags)}": {"config": {**fast, **flags}, "tokenizer": file}
       for name, file in (("template", tokenizer), ("no template", changed(post_processor=None)))
       for flags in ({"add_bos_token": False}, {"add_bos_token": True}, {"add_eos_token": True}, {"add_bos_token": True, "add_eos_token": True}, {"add_bos_token": None})},
}


def made(files):
    with tempfile.TemporaryDirectory() as folder:
        write = lambda name, value: (pathlib.Path(folder) / name).write_text(json.dumps(value))
        write("config.json", {"model_type": "llama"})
        write("tokenizer.json", files.get("tokenizer", tokenizer))
        for key, name in (("config", "tokenizer_config.json"), ("added", "added_tokens.json"), ("map", "special_tokens_map.json")):
            if key in files: write(name, files[key])
        opened = AutoTokenizer.from_pretrained(folder)
        assert type(opened).__name__ == "TokenizersBackend"
        ids = [opened(text, add_special_tokens=False).input_ids for text in texts]
        return {"ids": ids, "special": [opened(text).input_ids for text in texts], "bos": opened.bos_token_id, "eos": opened.eos_token_id,
                "decoded": [opened.decode(each) for each in ids], "skipped": [opened.decode(each, skip_special_tokens=True) for each in ids]}


def differences(files):
    """Of a tokenizer, what it has other than the common one."""
    if "tokenizer" not in files: return files
    return {**files, "tokenizer": {key: value for key, value in files["tokenizer"].items() if value != tokenizer[key]}}


(here / "files.json").write_text(json.dumps({"texts": texts, "tokenizer": tokenizer, "folders": [
    {"name": name, "files": differences(files), **made(files)} for name, files in folders.items()]}, separators=(",", ":")) + "\n")
