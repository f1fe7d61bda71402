"""A small BPE tokenizer in the tokenizer.json form: learnt from a few sentences until the vocabulary is full."""

from collections import Counter

CORPUS = (
    "the gardener walks along the hedge and looks for the branch that carries least. she cuts it, steps back, and waits. "
    "a hedge that was cut well grows closer in the next spring; a hedge that was cut badly shows a hole for years. "
    "so she measures first, marks every branch with a little chalk, and only then takes the blades out of her apron. "
    "when the work is done, the wind goes through the leaves with another sound, and the birds come back before evening."
)
SPECIAL = ("<unk>", "<s>", "</s>")
SPACE = "▁"


def merge(pieces: tuple, pair: tuple) -> tuple:
    """Joins every occurrence of `pair`, from the left."""
    out, i = [], 0
    while i < len(pieces):
        if pieces[i : i + 2] == pair:
            out.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            out.append(pieces[i])
            i += 1
    return tuple(out)


def learn(size: int) -> tuple:
    """(vocabulary in id order, merges in rank order) with exactly `size` entries; ties go to the earlier pair by name."""
    words = Counter(tuple(SPACE + word) for word in CORPUS.split(" "))
    vocab = [*SPECIAL, *sorted({letter for word in words for letter in word})]
    merges = []
    while len(vocab) < size:
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        vocab.append("".join(best))
        words = Counter({merge(word, best): count for word, count in words.items()})
    return vocab, merges


def encode(text: str, vocab: list, merges: list) -> list:
    """Token ids without special tokens."""
    pieces = tuple(SPACE + text.replace(" ", SPACE))
    for pair in merges:
        pieces = merge(pieces, pair)
    return [vocab.index(piece) if piece in vocab else 0 for piece in pieces]


def tokenizer_json(vocab: list, merges: list) -> dict:
    bos = SPECIAL[1]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": i,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for i, token in enumerate(SPECIAL)
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": SPACE},
                {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                {"SpecialToken": {"id": bos, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": bos, "type_id": 1}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {bos: {"id": bos, "ids": [SPECIAL.index(bos)], "tokens": [bos]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": SPECIAL[0],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(vocab)},
            "merges": [" ".join(pair) for pair in merges],
        },
    }


def tokenizer_config() -> dict:
    unk, bos, eos = SPECIAL
    return {
        "tokenizer_class": "LlamaTokenizer",
        "bos_token": bos,
        "eos_token": eos,
        "unk_token": unk,
        "add_bos_token": True,
        "add_eos_token": False,
    }
