"""Makes tests/model/data: a small Qwen2-style byte-level BPE tokenizer and strings with the ids that the
`tokenizers` library gives them. Run from anywhere: python make_tokenizer_cases.py  (needs: pip install tokenizers)

tokenizer.json         Qwen2's split pattern and NFC, special tokens; about 3,000 entries, trained here
tokenizer_cases.json   [[hex of the bytes, [ids]], ...]; broken UTF-8 is what bytes.decode("utf-8", "replace") makes of it
"""

import json
import pathlib
import random
import sysconfig
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

DATA = pathlib.Path(__file__).parent / "data"
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
PROSE = [
    "The quick brown fox jumps over the lazy dog; it's 12:45 and they've gone, haven't they? I'LL see.",
    "今天天气很好，我们去公园散步吧。人工智能正在改变世界。", "吾輩は猫である。名前はまだ無い。カタカナとひらがな。",
    "안녕하세요, 오늘 기분이 어때요?", "Привет, как дела? Сегодня хорошая погода.", "مرحبا بالعالم، كيف حالك؟",
    "שלום עולם", "नमस्ते दुनिया, आप कैसे हैं?", "สวัสดีชาวโลก", "Größe, Übermut, naïve café, Ångström, señor, œuvre",
    "🙂🚀👩‍👩‍👧‍👦🏳️‍🌈👍🏽 emoji 🇫🇷🇯🇵", "x² + y³ = z½ ≠ ∑∞ → ⟨a|b⟩ ①②③ Ⅳ ٣٤ 一二三", "e\u0301 a\u0308 n\u0303 \u1100\u1161\u11a8 \u212b \ufb01",
]
ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool>", "zebra"]


def corpus():
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    for name in ("json/decoder.py", "heapq.py", "textwrap.py", "statistics.py", "queue.py", "string.py"):
        yield (library / name).read_text()
    for _ in range(20):
        yield from PROSE


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=3000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in ADDED[:3]])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in ADDED[3:5]])
    tokenizer.add_tokens([AddedToken("<tool>", special=False, normalized=False, lstrip=True, rstrip=True),
                          AddedToken("zebra", special=False, normalized=True, single_word=True)])
    return tokenizer


ASSIGNED = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
SPACES = " \t\n\r\v\f\u00a0\u0085\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff"
CODE = ["def f(x):\n    return x**2\n", "for (int i = 0; i < n; ++i) {\n\t\tsum += a[i];\r\n}", "if x != y: pass  # done\n\n\n",
        "SELECT * FROM t WHERE id=10042;", '{"a": [1, 2.5e-3, null], "b": "c\\n"}', "<div class='x'>&nbsp;</div>"]
PIECES = [
    lambda r: r.choice(PROSE), lambda r: r.choice(CODE), lambda r: r.choice(ADDED), lambda r: r.choice(ADDED),
    lambda r: "".join(r.choices(SPACES, k=r.randint(1, 6))), lambda r: " " * r.randint(1, 20), lambda r: "\n" * r.randint(1, 5),
    lambda r: "".join(r.choices(ASSIGNED, k=r.randint(1, 8))), lambda r: str(r.randint(0, 10**9)),
    lambda r: "".join(r.choices("etaoin shrdlu'\"", k=r.randint(1, 20))), lambda r: r.choice(["'S", "'ll", "'Re", "'ſ", "'t", "'VE", "İ", "ß"]),
    lambda r: "".join(r.choices("abc\u0301\u0308\u0327\u3099\u093c\u1161\u11a8", k=r.randint(1, 8))),
    lambda r: r.choice(PROSE)[r.randint(0, 20):][:r.randint(1, 12)], lambda r: r.choice(["a", "_", "9", "é", "-"]) + "zebra",
    lambda r: "zebra" + r.choice(["s", " ", "_", "!", "é", "🙂"]), lambda r: r.choice(SPACES) + "<tool>" + r.choice(SPACES),
]


def broken(random_source, data):
    data = bytearray(data)
    for _ in range(random_source.randint(1, 4)):
        at = random_source.randrange(len(data) + 1)
        kind = random_source.randrange(3)
        if kind == 0:
            data[at:at] = bytes([random_source.randrange(0x80, 0x100)])
        elif kind == 1:
            del data[at:at + 1]
        else:
            data[at:at] = random_source.choice([b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\xf0\x9f\x99"])
    return bytes(data)


def strings(random_source):
    yield b""
    for text in PROSE + CODE + ADDED:
        yield text.encode()
    for char in SPACES:
        for text in (char, f"a{char}b", f"{char}{char}a", f"a {char}", f"!{char}\n"):
            yield text.encode()
    for n in (100, 1000, 5000):  # long runs
        for text in (" ", "\n", "a", "!", "é", "名", "\u0301", "9", "🙂"):
            yield (text * n).encode()[:20000 if n < 5000 else 5000]
    for i in range(4900):
        text = "".join(random_source.choice(PIECES)(random_source) for _ in range(random_source.randint(1, 4)))
        data = text.encode()
        yield broken(random_source, data) if i % 4 == 3 else data


def main():
    DATA.mkdir(exist_ok=True)
    tokenizer = train()
    (DATA / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":")))
    cases = [[data.hex(), tokenizer.encode(data.decode("utf-8", "replace"), add_special_tokens=False).ids]
             for data in strings(random.Random(7))]
    (DATA / "tokenizer_cases.json").write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(len(cases), "cases,", tokenizer.get_vocab_size(), "entries")


if __name__ == "__main__":
    main()
