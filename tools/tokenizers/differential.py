"""Makes fixtures/differential.json: small tokenizer.json files, one for each kind of component and for ways to combine them,
and what Hugging Face's own library (Rust, 0.23) makes of awkward texts with them. Needs `pip install tokenizers sentencepiece`.

`differential.py N SEED FILE` writes N random combinations instead, to look for differences that nobody thought of."""
import base64, io, json, os, pathlib, random, struct, sys
from tokenizers import Tokenizer

texts = [
    "", " ", "a", " a  b ", "Hello, World! it's 12½③ of ABC-def_x9", "a\nb\r\n\tc\u00a0d\u3000e\u200b\ufefff\u0085g",
    "É e\u0301 Å ﬁ ﷺ ① ÀÉÎ ςΣ ΑΣ İI ß", "日本語のテキスト。データーです 数据 한국어", "<s>a</s> <s> b<mask> c<MASK>x<mask>y", "aaaaaaaabbbbaaab",
    "👩‍👩‍👧‍👦🇫🇷 👍🏽🙂\ufe0f", "(a.b) [c]; «d» £5 ~`^ …—'s they're we'LL 'ſ", "\ufeffbom \ufffd\u0000\u0007\u007f\u008f", "अनुच्छेद क्षि नमस्ते ไทย ك\u064eتاب",
    "Tom went  to   the\n\n\nmarket  \n at 10:30.", "▁a▁▁b a▁", "##a ##b a##b", "<0x0A><0xE2>", "x" * 60 + "ab" * 40,
]

letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'()-_:;<>/[]#▁ ")
byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_characters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    fresh = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(fresh)) for byte in range(256)]


def numbered(tokens):
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def added(content, id=0, **more):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **more}


def bpe(pairs=("a b", "ab a", "t h", "th e", "▁ a", "▁ t", "▁t h", "▁th e", "a a", "aa aa", "b b"), tokens=(), **more):
    tokens = ["<unk>", "<s>", "</s>", *tokens, *letters]
    prefix = more.get("continuing_subword_prefix") or ""
    for pair in pairs:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        tokens += [left, right, left + right[len(prefix):]]
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "vocab": numbered(tokens), "merges": list(pairs), **more}


def byte_bpe(**more):
    pairs = ["a b", "t h", "th e", "Ġ a", "Ġ t", "Ġt h", "Ġth e", "Ã ©", "' s", "1 2"]
    return bpe(pairs, byte_characters(), **more)


def unigram(tokens=(), unk=0, **more):
    words = ["▁", "▁a", "▁b", "ab", "a", "b", "aa", "aaaa", "the", "▁the", "t", "h", "e", "Tom", "▁T", "o", "m", "日本", "語", "\n", *tokens]
    vocab = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0]] + [[word, round(-1.5 - 0.375 * index, 3)] for index, word in enumerate(words)]
    return {"type": "Unigram", "unk_id": unk, "vocab": vocab, "byte_fallback": False, **more}


def word_piece(**more):
    words = ["[UNK]", "[CLS]", "[SEP]", "a", "b", "hello", "world", "it", "'", "s", "12", "of", "##b", "##ab", "##c", "abc", "to", "##m", "日", "本",
             ".", ",", "!", "(", ")", *[f"##{letter}" for letter in "defghijklmnopqrstuvwxyz"], *"cdefghijklmnopqrstuvwxyz"]
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20,
            "vocab": numbered(words), **more}


def word_level(**more):
    words = ["<unk>", "a", "b", "Hello", ",", "World", "!", "12", "日本語のテキスト", "Tom", "the", " ", "ab", "日", "E", "e", "é", "É", *letters]
    return {"type": "WordLevel", "unk_token": "<unk>", "vocab": numbered(words), **more}


def level(**more):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True, **more}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def metaspace(scheme="always", split=True, replacement="▁"):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split}


def sequence(key, *steps):
    return {"type": "Sequence", key: list(steps)}


def charsmap():
    """The table of sentencepiece's NFKC with lower case, in full it has 240 kB: of a few rules, made by sentencepiece itself."""
    import sentencepiece
    rules = here / "rules.tsv"
    pairs = {"①": "1", "ﬁ": "fi", "É": "E", "　": " ", "\u00a0": " ", "\u200b": "", "½": "1/2", "A": "a", "İ": "i", "e\u0301": "é", "ﷺ": "صلى", "🙂": ":)",
             "\u0301": "", "ab": "X", "abc": "Y", "क्षि": "K", "🇫": "F"}
    lines = ["\t".join(" ".join(f"{ord(c):X}" for c in text) for text in pair) for pair in pairs.items()]
    rules.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c abc ab the cat sat on the mat"] * 20), model_writer=made, vocab_size=18, model_type="bpe",
        normalization_rule_tsv=str(rules), minloglevel=2)
    rules.unlink()
    data, at = made.getvalue(), 0
    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]; at += 1
            value |= (byte & 127) << shift; shift += 7
            if byte < 128: return value
    while at < len(data):
        key = number(); length = number()
        if key == 26:  # normalizer_spec
            end = at + length
            while at < end:
                inner = number()
                if inner & 7 == 2:
                    size = number()
                    if inner >> 3 == 2: return base64.b64encode(data[at:at + size]).decode()
                    at += size
                else: number()
        else: at += length


here = pathlib.Path(__file__).parent / "fixtures"
words = {"type": "WhitespaceSplit"}
gpt4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
bert_normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "y", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"x": {"id": "x", "ids": [1, 2], "tokens": ["<s>", "</s>"]}, "y": {"id": "y", "ids": [7], "tokens": ["?"]}}}
behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def parts():
    normalizers = {
        "NFC": {"type": "NFC"}, "NFD": {"type": "NFD"}, "NFKC": {"type": "NFKC"}, "NFKD": {"type": "NFKD"}, "Lowercase": {"type": "Lowercase"},
        "StripAccents": {"type": "StripAccents"}, "NFD, StripAccents": sequence("normalizers", {"type": "NFD"}, {"type": "StripAccents"}),
        "Strip": {"type": "Strip", "strip_left": True, "strip_right": True}, "Strip left": {"type": "Strip", "strip_left": True, "strip_right": False},
        "Prepend": {"type": "Prepend", "prepend": "▁"}, "Replace": replace(" ", "▁"), "Replace nothing": replace("", "z"), "Replace by groups": replace("(.)b", "[$1]", "Regex"),
        "Replace spaces": replace(r"\s+", "_", "Regex"), "Replace starred": replace("x*", "-", "Regex"), "Replace dots": replace(".", "d"), "Replace lines": replace("^a|b$", "L", "Regex"),
        "Nmt": {"type": "Nmt"}, "ByteLevel": {"type": "ByteLevel"}, "Bert": bert_normalizer, "Bert, accents": {**bert_normalizer, "strip_accents": True, "lowercase": False},
        "Bert, none": {**bert_normalizer, "clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False},
        "Precompiled": {"type": "Precompiled", "precompiled_charsmap": charsmap()},
        "LLaMA": sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")), "empty": sequence("normalizers"),
    }
    pre = {
        "Bert": {"type": "BertPreTokenizer"}, "Whitespace": {"type": "Whitespace"}, "WhitespaceSplit": words, "UnicodeScripts": {"type": "UnicodeScripts"},
        "CharDelimiterSplit": {"type": "CharDelimiterSplit", "delimiter": "a"}, "Digits": {"type": "Digits", "individual_digits": False},
        "Digits each": {"type": "Digits", "individual_digits": True}, "FixedLength": {"type": "FixedLength", "length": 3}, "FixedLength 5": {"type": "FixedLength"},
        "ByteLevel": level(), "ByteLevel spaced": level(add_prefix_space=True), "ByteLevel whole": level(use_regex=False),
        "gpt4": sequence("pretokenizers", split(gpt4), level(use_regex=False)), "empty": sequence("pretokenizers"),
        "Digits, ByteLevel": sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, level(add_prefix_space=True)),
        "Words, Metaspace": sequence("pretokenizers", words, metaspace()), "Words, Metaspace first": sequence("pretokenizers", words, metaspace("first")),
        "Scripts, Digits": sequence("pretokenizers", {"type": "UnicodeScripts"}, {"type": "Digits", "individual_digits": True}),
        "Split space": split(" ", "MergedWithNext", kind="String"), "Split nothing": split("", kind="String"), "Split starred": split("a*"), "Split ahead": split("(?=b)", "MergedWithPrevious"),
        "Split anchored": split(r"^\s*|\s*$"), "Split word": split(r"\w+", "Removed", True), "Split borders": split(r"\b"), "Split classes": split(r"[[:alpha:]&&[^a]]+|\h|\R"),
        "Split camel": split(r"(?<=[a-z])(?=[A-Z])"), "Split atomic": split(r"(?>a+|ab)b"), "Split possessive": split(r"a++b|a*+c|x?+x"), "Split lazy": split(r"a+?b??"),
        "Split any case": split(r"(?i:AB|s|x)"), "Split back": split(r"(.)\1+", "Contiguous"), "Split properties": split(r"\p{Han}+|\p{Hiragana}+|\p{^L}+|\P{N}|\p{Lu}"), "Split x": split(r"\x{3000}|\u00A0|\x41"),
    }
    for behavior in behaviors:
        pre[f"Punctuation {behavior}"] = {"type": "Punctuation", "behavior": behavior}
        for invert in (False, True):
            pre[f"Split {behavior} {invert}"] = split(r"[ab]|\s", behavior, invert)
            pre[f"Split b {behavior} {invert}"] = split("b", behavior, invert, "String")
    for scheme in ("always", "first", "never"):
        for whole in (False, True):
            pre[f"Metaspace {scheme} {whole}"] = metaspace(scheme, not whole)
    models = {
        "BPE": bpe(), "BPE unknown": bpe(unk_token="<unk>"), "BPE fused": bpe(unk_token="<unk>", fuse_unk=True), "BPE bytes": bpe(tokens=byte_tokens, byte_fallback=True),
        "BPE bytes, unknown": bpe(tokens=byte_tokens[:200], byte_fallback=True, unk_token="<unk>", fuse_unk=True), "BPE bytes, each unknown": bpe(tokens=byte_tokens[:200], byte_fallback=True, unk_token="<unk>"),
        "BPE whole": bpe(ignore_merges=True, tokens=["Hello", "Tom", "aaaaaaaabbbbaaab", "日本語のテキスト"]), "BPE suffix": bpe(["a b</w>", "t h", "th e</w>"], end_of_word_suffix="</w>", tokens=[f"{x}</w>" for x in letters]),
        "BPE prefix": bpe(["a ##b", "ab ##a", "##b ##b", "t ##h", "th ##e"], continuing_subword_prefix="##", tokens=[f"##{x}" for x in letters]), "BPE pairs": bpe([["a", "b"], ["a", " "], ["ab", "a "]]),
        "BPE twice": bpe(["a b", "b b", "b a", "a b", "bb b"]), "Unigram": unigram(), "Unigram bytes": unigram(byte_tokens, byte_fallback=True), "Unigram some bytes": unigram(byte_tokens[:200], byte_fallback=True),
        "Unigram twice": unigram(["a", "the", "ab"]), "WordPiece": word_piece(), "WordPiece short": word_piece(max_input_chars_per_word=3), "WordPiece none": word_piece(continuing_subword_prefix=""), "WordLevel": word_level(),
        "byte BPE": byte_bpe(),
    }
    decoders = {
        "ByteLevel": level(), "ByteFallback": {"type": "ByteFallback"}, "Fuse": {"type": "Fuse"}, "Metaspace": metaspace(), "Metaspace never": metaspace("never"), "Metaspace first": metaspace("first"),
        "WordPiece": {"type": "WordPiece", "prefix": "##", "cleanup": True}, "WordPiece raw": {"type": "WordPiece", "prefix": "##", "cleanup": False}, "BPEDecoder": {"type": "BPEDecoder", "suffix": "</w>"},
        "CTC": {"type": "CTC", "pad_token": "a", "word_delimiter_token": "b", "cleanup": True}, "Replace": replace("▁", " "), "Replace regex": replace("[ab]+", "-", "Regex"),
        "Strip": {"type": "Strip", "content": "a", "start": 1, "stop": 1},
        "LLaMA": sequence("decoders", replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}), "empty": sequence("decoders"),
    }
    post = {"template": template, "Bert": {"type": "BertProcessing", "sep": ["s", 2], "cls": ["c", 1]},
            "Roberta": {"type": "RobertaProcessing", "sep": ["s", 2], "cls": ["c", 1], "trim_offsets": True, "add_prefix_space": False},
            "levels": sequence("processors", level(), template)}
    tokens = {
        "special": [added("<s>", 1), added("</s>", 2), added("<mask>", 999)], "stripping": [added("<s>", 1, lstrip=True, rstrip=True), added("<mask>", 3, lstrip=True)],
        "words": [added("a", 1, single_word=True, special=False), added("Tom", 2, single_word=True, normalized=True), added("b", 3, single_word=True, lstrip=True)],
        "normalized": [added("<MASK>", 1, normalized=True), added("É", 2, normalized=True, special=False), added("ab", 3, normalized=True, rstrip=True)],
        "overlapping": [added("ab", 1), added("abab", 2), added("ba", 3), added("aaaa", 4), added("a", 5, normalized=True)], "none": [added("", 1), added("<s>", 7)],
    }
    return normalizers, pre, models, decoders, post, tokens


def configurations():
    normalizers, pre, models, decoders, post, tokens = parts()
    plain, byte = models["BPE bytes"], models["byte BPE"]
    for name, part in normalizers.items():
        yield f"normalizer {name}", {"normalizer": part, "model": plain, "added_tokens": tokens["normalized"]}
    for name, part in pre.items():
        yield f"pre-tokenizer {name}", {"pre_tokenizer": part, "model": byte if "yteLevel" in name or name == "gpt4" else plain, "decoder": None, "added_tokens": tokens["special"]}
    for name, part in models.items():
        yield f"model {name}", {"model": part, "pre_tokenizer": words if name.startswith("Word") else metaspace() if name.startswith("Unigram") else None}
        yield f"model {name} whole", {"model": part, "decoder": decoders["LLaMA"]}
    for name, part in decoders.items():
        yield f"decoder {name}", {"decoder": part, "model": byte if name == "ByteLevel" else plain, "pre_tokenizer": level() if name == "ByteLevel" else metaspace()}
    for name, part in post.items():
        yield f"post-processor {name}", {"post_processor": part, "model": plain, "added_tokens": tokens["special"]}
    for name, part in tokens.items():
        yield f"added {name}", {"added_tokens": part, "model": plain}
        yield f"added {name}, LLaMA", {"added_tokens": part, "model": plain, "normalizer": normalizers["LLaMA"], "decoder": decoders["LLaMA"]}
        yield f"added {name}, lower", {"added_tokens": part, "model": plain, "normalizer": {"type": "Lowercase"}, "pre_tokenizer": metaspace("first")}


def combinations(count, seed):
    choose = random.Random(seed)
    normalizers, pre, models, decoders, post, tokens = parts()
    pick = lambda part, share=0.3: None if choose.random() < share else choose.choice(list(part.items()))
    for index in range(count):
        chosen = [pick(normalizers), pick(pre), pick(models, 0), pick(decoders), pick(post, 0.6), pick(tokens, 0.4)]
        more = [pick(normalizers, 0.7), pick(pre, 0.7)]
        value = lambda choice, otherwise=None: otherwise if choice is None else choice[1]
        normalizer, splitter = value(chosen[0]), value(chosen[1])
        if more[0] and normalizer: normalizer = sequence("normalizers", normalizer, more[0][1])
        if more[1] and splitter: splitter = sequence("pretokenizers", splitter, more[1][1])
        name = f"{index}: " + " | ".join("-" if choice is None else choice[0] for choice in chosen + more)
        yield name, {"normalizer": normalizer, "pre_tokenizer": splitter, "model": value(chosen[2]), "decoder": value(chosen[3]),
                     "post_processor": value(chosen[4]), "added_tokens": value(chosen[5], [])}


def decoded(tokenizer, ids):
    """With special tokens and without; nulls where the library itself fails (its Strip cuts more than there is)."""
    try:
        return [tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids)]
    except BaseException:
        return [None, None]


def cases(parts):
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, **parts}
    try:
        tokenizer = Tokenizer.from_str(json.dumps(file))
    except BaseException as error:
        return {"tokenizer": file, "refused": str(error)}
    made = []
    for text in texts:
        try:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            made.append([ids, tokenizer.encode(text).ids, *decoded(tokenizer, ids)])
        except BaseException as error:
            made.append(str(error)[:100])
    return {"tokenizer": file, "cases": made}


def write(path, named):
    """Parts that come often stand once, in a table."""
    table, places = [], {}
    def place(part):
        key = json.dumps(part, sort_keys=True)
        if key not in places:
            places[key] = len(table)
            table.append(part)
        return places[key]
    entries = []
    for name, parts in named:
        entry = cases(parts)
        entry["tokenizer"] = {key: place(value) for key, value in entry["tokenizer"].items()}
        if "cases" in entry: entry["cases"] = [place(case) for case in entry["cases"]]
        entries.append({"name": name, **entry})
    pathlib.Path(path).write_text(json.dumps({"texts": texts, "parts": table, "tokenizers": entries}, ensure_ascii=True, separators=(",", ":")) + "\n")


if len(sys.argv) > 3:
    write(sys.argv[3], combinations(int(sys.argv[1]), int(sys.argv[2])))
else:
    write(here / "differential.json", configurations())
