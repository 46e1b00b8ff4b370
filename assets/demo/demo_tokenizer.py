"""The demo pair's tokenizer: byte-level BPE in Qwen's format, ChatML, and a mask token of its own."""

import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

# Letters with one leading non-letter, single digits, punctuation runs, line breaks, other spaces.
WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
END, START, STOP, MASK = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|mask|>"
THINK = ("<think>", "</think>")
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is not defined or enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)


def prompt_text(prompt: str) -> str:
    """One user turn and the opened answer, without thinking."""
    return f"{START}user\n{prompt}{STOP}\n{START}assistant\n{THINK[0]}\n\n{THINK[1]}\n\n"


def train(rows: list[dict], vocab: int, out: pathlib.Path) -> Tokenizer:
    """Learns the merges from prompts and responses and writes tokenizer.json and tokenizer_config.json to `out`."""
    specials = [END, START, STOP, MASK, *THINK]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab - len(specials), show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((r[k] for r in rows for k in ("prompt", "response")), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in (END, START, STOP, MASK)])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in THINK])
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "eos_token": STOP, "pad_token": END,
        "add_prefix_space": False, "clean_up_tokenization_spaces": False, "model_max_length": 2048,
        "chat_template": TEMPLATE}, indent=1), encoding="utf-8")
    return tokenizer
