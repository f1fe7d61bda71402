"""Makes fixtures/: small BPE models and what sentencepiece itself encodes. Needs Debian's python3-sentencepiece (0.1.97)."""
import io, json, pathlib
import sentencepiece as spm

here = pathlib.Path(__file__).parent / "fixtures"
corpus = ["Once upon a time there was a little girl who liked the garden and the big tree.",
          "Grüße aus Köln, señor! Привет, мир.", "def f(x):\n    return x + 1", "The tree was old, and the girl was happy."] * 20
texts = ["", " ", "a", "Once upon a time", "  two  spaces ", "the\tgirl\nwas", "Grüße, Привет мир", "日本語のテキスト", "🙂👩‍👩‍👧 é",
         "def f(x):\n    return x + 1\n", "the [X] tree", "treetreetree happyhappy"]
for name, extra in [("keep", False), ("trim", True)]:
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=out, model_type="bpe", vocab_size=360,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=extra,
        num_threads=1, minloglevel=2)
    (here / f"{name}.model").write_bytes(out.getvalue())
    sp = spm.SentencePieceProcessor(model_proto=out.getvalue())
    cases = [{"text": t, "ids": sp.encode(t), "decoded": sp.decode(sp.encode(t))} for t in texts]
    (here / f"{name}.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n")
