#!/usr/bin/env python3
"""Trains the demo tokenizer and a small Qwen3 target on DATA/train.jsonl; writes a Hugging Face folder in bf16.

Checkpoints go to WORK every few minutes; --resume goes on from the last one (--minutes counts all runs together).
"""

import argparse
import json
import pathlib

import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import Qwen3Config, Qwen3ForCausalLM

import demo_tokenizer
from training import Training


def encode(rows: list[dict], tokenizer: Tokenizer, max_tokens: int) -> list[tuple[list[int], int]]:
    """(ids, prompt length) of every row that fits."""
    out = []
    for row in tqdm(rows, desc="tokenize", disable=None):
        prompt = tokenizer.encode(demo_tokenizer.prompt_text(row["prompt"])).ids
        answer = tokenizer.encode(row["response"] + demo_tokenizer.STOP + "\n").ids
        if len(prompt) + len(answer) <= max_tokens:
            out.append((prompt + answer, len(prompt)))
    return out


def tensors(group: list, device: str, prompt_weight: float):
    """Padded ids (b, t) and the weight of predicting each position (b, t); padding weighs nothing."""
    longest = max(len(ids) for ids, _ in group)
    ids, weight = torch.zeros(len(group), longest, dtype=torch.long), torch.zeros(len(group), longest)
    for i, (row, n_prompt) in enumerate(group):
        ids[i, : len(row)] = torch.tensor(row)
        weight[i, 1:n_prompt], weight[i, n_prompt : len(row)] = prompt_weight, 1.0
    return ids.to(device), weight.to(device)


def loss_of(model: Qwen3ForCausalLM, group: list, device: str, prompt_weight: float) -> torch.Tensor:
    ids, weight = tensors(group, device, prompt_weight)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (loss * weight[:, 1:].flatten()).sum() / weight[:, 1:].sum()


def make_model(args, tokenizer: Tokenizer) -> Qwen3ForCausalLM:
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=args.hidden, intermediate_size=args.intermediate,
        num_hidden_layers=args.layers, num_attention_heads=args.hidden // 64, num_key_value_heads=args.hidden // 128,
        head_dim=64, max_position_embeddings=2048, rope_theta=1e6, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=tokenizer.token_to_id(demo_tokenizer.STOP),
        pad_token_id=tokenizer.token_to_id(demo_tokenizer.END), attention_bias=False)
    torch.manual_seed(args.seed)
    return Qwen3ForCausalLM(config)


def export(model: Qwen3ForCausalLM, work: pathlib.Path, out: pathlib.Path) -> None:
    """Writes the model in bf16 beside its tokenizer."""
    copy = Qwen3ForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16).save_pretrained(out)
    (out / "model.safetensors").chmod(0o644)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (out / name).write_bytes((work / "tokenizer" / name).read_bytes())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of build_corpus.py")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="model folder to write")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for tokenizer and checkpoints")
    parser.add_argument("--minutes", type=float, default=60, help="training time; the schedule follows it")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--hidden", type=int, default=256, help="a multiple of 128")
    parser.add_argument("--intermediate", type=int, default=704)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--tokens-per-batch", type=int, default=8192)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--prompt-weight", type=float, default=0.3, help="loss weight of prompt tokens")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def schedule(done: float) -> float:
    """Full speed for two fifths of the time, then down in a line."""
    return 1.0 if done < 0.4 else max(0.02, (1 - done) / 0.6)


def main() -> None:
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in open(args.data / "train.jsonl", encoding="utf-8")]
    held = [json.loads(line) for line in open(args.data / "heldout.jsonl", encoding="utf-8")]
    saved = args.work / "tokenizer" / "tokenizer.json"
    tokenizer = (Tokenizer.from_file(str(saved)) if args.resume and saved.exists()
                 else demo_tokenizer.train(rows, args.vocab, args.work / "tokenizer"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = make_model(args, tokenizer).to(device)
    examples, judged = encode(rows, tokenizer, args.max_tokens), encode(held, tokenizer, args.max_tokens)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(examples)} examples, "
          f"{sum(len(e[0]) for e in examples):,} tokens an epoch, on {device}", flush=True)
    training = Training(model, args.work / "target.pt", args.lr, args.minutes, args.seed, args.resume)
    state = training.run(examples, args.tokens_per_batch,
                         lambda group: loss_of(model, group, device, args.prompt_weight), schedule)
    with torch.no_grad():
        state["heldout_loss"] = sum(loss_of(model, [e], device, 0.0).item() for e in judged) / len(judged)
    state["parameters"] = sum(p.numel() for p in model.parameters())
    export(model, args.work, args.out)
    (args.work / "target_figures.json").write_text(json.dumps(state, indent=1))
    print(json.dumps(state))


if __name__ == "__main__":
    main()
