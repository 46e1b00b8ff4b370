#!/usr/bin/env python3
"""Times the reference stack on the passes that ds_bench_gpu times: transformers, eager, SDPA, bf16, random weights.

A pass is `rows` tokens after a cached context with the logits of every row and their most likely tokens, timed by CUDA
events around the call with a synchronisation behind it, as a verify step needs its answers. Also measures what torch
reaches on this GPU: a large product and a large copy.
"""

import argparse
import json
import statistics
import sys
import time

SHAPES = {  # hidden, intermediate, layers, heads, kv heads, head dim, vocab, tied
    "0.6b": (1024, 3072, 28, 16, 8, 128, 151936, True),
    "4b": (2560, 9728, 36, 32, 8, 128, 151936, True),
    "8b": (4096, 12288, 36, 32, 8, 128, 151936, False),
    "tiny": (64, 128, 3, 4, 2, 32, 300, True),
}
NAMES = {"0.6b": "Qwen3-0.6B shape", "4b": "Qwen3-4B shape", "8b": "Qwen3-8B shape", "tiny": "tiny shape"}


class Clock:
    """Milliseconds of a call by CUDA events, or by the host's clock on a CPU."""

    def __init__(self, torch, device: str) -> None:
        self.torch, self.on_gpu = torch, device == "cuda"

    def ms(self, work) -> float:
        if not self.on_gpu:
            began = time.perf_counter()
            work()
            return (time.perf_counter() - began) * 1e3
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.torch.cuda.synchronize()
        start.record()
        work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    def median(self, work, repeats: int) -> float:
        for _ in range(3):
            work()
        return statistics.median(self.ms(work) for _ in range(repeats))


def make_model(torch, transformers, word: str, device: str):
    hidden, intermediate, layers, heads, kv_heads, head_dim, vocab, tied = SHAPES[word]
    config = transformers.Qwen3Config(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, head_dim=head_dim, vocab_size=vocab, tie_word_embeddings=tied,
        max_position_embeddings=40960)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    return model.eval()


def time_model(torch, transformers, word: str, args, clock: Clock, device: str, save) -> None:
    model = make_model(torch, transformers, word, device)
    vocab = model.config.vocab_size
    tokens = torch.randint(0, vocab, (1, max(args.context) + max(args.rows) + 1), device=device)
    cache = transformers.DynamicCache(config=model.config)
    length = 0
    for context in args.context:
        while length < context:
            n = min(1024, context - length)
            model(input_ids=tokens[:, length:length + n], past_key_values=cache, use_cache=True, logits_to_keep=1)
            length += n
        for rows in args.rows:

            def verify():
                seen = cache if context else transformers.DynamicCache(config=model.config)
                logits = model(input_ids=tokens[:, :rows], past_key_values=seen, use_cache=True).logits
                answers = logits.argmax(-1)
                if context:
                    seen.crop(-rows)  # newer versions refuse a length to keep
                return answers

            answers = verify()
            assert answers.shape == (1, rows) and cache.get_seq_length() == context, (answers.shape, context)
            save({"model": NAMES[word], "context": context, "rows": rows, "n": args.repeats,
                  "median_ms": clock.median(verify, args.repeats)})
    del model, cache
    if device == "cuda":
        torch.cuda.empty_cache()


def ceilings(torch, clock: Clock, device: str, side: int) -> dict:
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    product_ms = clock.median(lambda: a @ b, 10)
    source = torch.empty(side * side * 16, device=device, dtype=torch.uint8).fill_(7)
    target = torch.empty_like(source)
    copy_ms = clock.median(lambda: target.copy_(source), 10)
    return {"product_side": side, "product_flop_per_s": 2 * side**3 / product_ms * 1e3,
            "copy_bytes_per_s": 2 * source.numel() / copy_ms * 1e3}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("--json", required=True)
    parser.add_argument("--models", default="0.6b,4b,8b")
    parser.add_argument("--rows", type=numbers, default=[1, 16, 64, 256])
    parser.add_argument("--context", type=numbers, default=[0, 2048, 8192], help="ascending")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, on the CPU without a GPU")
    args = parser.parse_args()
    try:
        import torch
        import transformers
    except ImportError as error:
        print(f"SKIP transformers: {error}")
        return 0
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not args.tiny:
        print("SKIP transformers: torch sees no GPU")
        return 0
    if args.tiny:
        args.models, args.rows, args.context, args.repeats = "tiny", [1, 4], [0, 8], 2

    clock = Clock(torch, device)
    found = {"torch": torch.__version__, "transformers": transformers.__version__, "attention": "sdpa", "mode": "eager",
             "device": torch.cuda.get_device_name() if device == "cuda" else "cpu", "passes": []}

    def save(figure: dict) -> None:  # after every figure: a limit on time must not cost what was measured
        found["passes"].append(figure)
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)

    failed = []
    with torch.inference_mode():
        found["ceilings"] = ceilings(torch, clock, device, 64 if args.tiny else 8192)
        for word in args.models.split(","):
            try:
                time_model(torch, transformers, word, args, clock, device, save)
            except Exception as error:  # one shape that fails costs no other
                failed.append(word)
                print(f"{word}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"transformers {found['transformers']}: {len(found['passes'])} passes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
