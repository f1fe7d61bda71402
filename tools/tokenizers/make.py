"""Makes fixtures/: small tokenizers in the forms that LLaMA-family models use, and what Hugging Face's own library (Rust)
encodes and decodes with them. Needs `pip install tokenizers` (made with 0.23.2).

Give the path of SmolLM's tokenizer.json to make smollm.json too: the ids alone, for tests where that file is at hand."""
import json, pathlib, sys
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = pathlib.Path(__file__).parent / "fixtures"
corpus = [
    "Once upon a time there was a little girl who liked the garden and the big tree.",
    "Grüße aus Köln, señor! Ça va? Привет, мир. Γειά σου Κόσμε.",
    "שלום עולם. مرحبا بالعالم. नमस्ते दुनिया.",
    "日本語のテキスト。 数据科学和机器学习。 안녕하세요 세계.",
    "for (let i = 0; i < n; i++) {\n    total += x[i] ** 2;\n}\n",
    "def f(x):\n\treturn x + 1  # they're, we'll, I'd\n",
    "👩‍👩‍👧‍👦 🇫🇷 👍🏽 🙂",
    "In 1989 there were 1234567 of them, 3.14159 each.",
    "It cost £5, then £7 or £9; § 3, § 4.",  # merges of a space with the first byte of ½, which is a digit
] * 8
texts = [
    "", " ", "  ", "\n", "\t", "\n\n\n", "a", " a", "a ", "  a  b   c  ", "\r\nline\r\n", " \n \n  x", "a\u00a0b\u3000c\u200bd",
    "Once upon a time", "THEY'RE they're I'LL we'd don't", "1234567 and 3.14159 and 42nd",
    "Größe, naïve, Ærøskøbing", "e\u0301 \u00e9 \u1e9b\u0323 \ufb01 A\u030a \u212b", "数据科学 и машинное обучение", "안녕하세요 세계 \u1112\u1161\u11ab",
    "שלום עולם مرحبا بالعالم नमस्ते", "日本語のテキスト。", "for (let i = 0; i < n; i++) { total += x[i] ** 2; } // π ≈ 3.14159",
    "def f(x):\n    return x + 1\n\n\tpass\n", "👩‍👩‍👧‍👦 family, 🇫🇷 flag, 👍🏽 skin tone", "\U0001f9d1\u200d\U0001f680\ufe0f", "He said: \"don't , stop . now ?\"",
    "<s>not a start</s>", "x <s> y", "https://example.org/a_b?c=d&e=%20f", "....!!!???", "\u0000\u0007", "\ufeffbom", "ﷺ ½ ①",
]

gpt4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{%s}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
special = ["<s>", "</s>"]
start = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)])


def trained(tokenizer, size, alphabet):
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False))
    return tokenizer


def byte_level(split, normalizer=None, size=420):
    """Byte-level BPE; `split` cuts words."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split)
    tokenizer.decoder = decoders.ByteLevel()
    return trained(tokenizer, size, pre_tokenizers.ByteLevel.alphabet())


def smollm():
    return byte_level([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])


def cut(digits):
    return [pre_tokenizers.Split(Regex(gpt4 % digits), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]


def llama3():
    tokenizer = byte_level(cut("1,3"))
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), start])
    return tokenizer


def qwen():
    return byte_level(cut("1"), normalizers.NFC())


def llama():
    """What transformers makes of LLaMA 1 and 2's sentencepiece model: one word, '▁' for spaces, bytes for the rest."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    model = json.loads(trained(learner, 200, []).to_str())["model"]
    tokens = ["<unk>"] + special + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += [token for token in model["vocab"] if token not in special]
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(pair) for pair in model["merges"]], unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in ["<unk>"] + special])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


def cases(tokenizer):
    def case(text):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        return {"text": text, "ids": ids, "special": tokenizer.encode(text).ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=False)}
    return [case(text) for text in texts]


def write(name, value):
    (here / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


for name, tokenizer in [("smollm-like", smollm()), ("llama3-like", llama3()), ("qwen-like", qwen()), ("llama2-like", llama())]:
    write(f"{name}.json", {"tokenizer": json.loads(tokenizer.to_str()), "cases": cases(tokenizer)})
if len(sys.argv) > 1:
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_padding()
    tokenizer.no_truncation()
    write("smollm.json", {"cases": cases(tokenizer)})
