"""Makes fixtures/instructions.json: input ids and labels of instructions in Alpaca's form, as a training with transformers and
PEFT reads them: labels of -100 hide the prompt from the loss, the end token is appended where the row is not cut. Needs
`pip install transformers` (made with 5.18.0)."""
import json, pathlib, tempfile
import transformers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
here = pathlib.Path(__file__).parent / "fixtures"
demo = pathlib.Path(__file__).parents[2] / "public" / "demo"

pairs = [
    {"instruction": "Name a colour.", "input": "", "output": "Red."},
    {"instruction": "Tell a story.", "input": "Tom, Mia", "output": "Tom met Mia. They played all day."},
    {"instruction": "Greet.", "output": " Hello"},
    {"instruction": "Say it.", "input": "", "output": "\nThe end.\n"},
    {"instruction": "Say nothing.", "input": "", "output": ""},
    {"instruction": "Repeat the word. " * 12, "input": "", "output": "The word."},
]


def prompt_of(pair):
    given = pair.get("input", "")
    start = "Below is an instruction that describes a task"
    start += ", paired with an input that provides further context. " if given else ". "
    start += "Write a response that appropriately completes the request.\n\n"
    middle = f"### Instruction:\n{pair['instruction']}\n\n"
    return start + middle + (f"### Input:\n{given}\n\n" if given else "") + "### Response:\n"


def row(tokenizer, pair, cutoff):
    """None where the prompt fills the row."""
    ids = lambda text: tokenizer(text, truncation=True, max_length=cutoff)["input_ids"]
    whole, prompt = ids(prompt_of(pair) + pair["output"]), ids(prompt_of(pair))
    if len(whole) < cutoff and whole[-1] != tokenizer.eos_token_id:
        whole.append(tokenizer.eos_token_id)
    assert whole[: len(prompt)] == prompt, "the prompt's tokens depend on the response"
    labels = [-100] * len(prompt) + whole[len(prompt) :]
    return {"ids": whole, "labels": labels} if len(prompt) < len(whole) else None


def like(name):
    folder = tempfile.mkdtemp()
    tokenizer = json.loads((here / f"{name}.json").read_text())["tokenizer"]
    (pathlib.Path(folder) / "tokenizer.json").write_text(json.dumps(tokenizer))
    fast = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(fast))
    return AutoTokenizer.from_pretrained(folder)


cases = []
for name, cutoff in [("demo", 220), ("llama2-like", 256)]:
    tokenizer = AutoTokenizer.from_pretrained(demo) if name == "demo" else like(name)
    cases.append({"tokenizer": name, "seqLen": cutoff, "end": tokenizer.eos_token_id, "rows": [row(tokenizer, pair, cutoff) for pair in pairs]})
text = json.dumps({"pairs": pairs, "cases": cases}, separators=(",", ":"))
(here / "instructions.json").write_text(text + "\n")
for case in cases:
    print(case["tokenizer"], [row and (len(row["ids"]), sum(label == -100 for label in row["labels"])) for row in case["rows"]])
