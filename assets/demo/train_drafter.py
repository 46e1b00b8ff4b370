#!/usr/bin/env python3
"""Lets a Qwen3 target answer the training prompts again and trains a DFlash drafter on those answers.

Works for any Qwen3 folder (--target DIR) on a CPU or a CUDA device. Answers (WORK/answers.jsonl) and checkpoints
(WORK/drafter.pt) are kept as they come; --resume goes on from them.
"""

import argparse
import json
import math
import pathlib
import random
import time

import torch
from safetensors.torch import load_file
from tqdm import tqdm
from transformers import AutoTokenizer, Qwen3ForCausalLM

from drafter_model import Drafter
from training import Training


def prompt_ids(tokenizer, prompt: str) -> list[int]:
    return tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=True, return_dict=False,
                                         add_generation_prompt=True, enable_thinking=False)


@torch.no_grad()
def answer(target, tokenizer, rows: list[dict], args, device: str, path: pathlib.Path, minutes: float) -> list:
    """[(ids, prompt length, domain)] of greedy answers; written to `path` as they come, read from it first."""
    done = [json.loads(line) for line in open(path)] if args.resume and path.exists() else []
    if not done:
        path.write_text("")
    known = {tuple(ids[:n]) for ids, n, _ in done}
    pending = sorted(((prompt_ids(tokenizer, r["prompt"]), r["domain"]) for r in rows), key=lambda e: len(e[0]))
    pending = [e for e in pending if tuple(e[0]) not in known]
    groups = [pending[i : i + args.answers_at_once] for i in range(0, len(pending), args.answers_at_once)]
    random.Random(args.seed).shuffle(groups)
    end, pad = time.monotonic() + minutes * 60, tokenizer.pad_token_id
    for group in tqdm(groups, desc="answer", disable=None):
        if time.monotonic() > end:
            break
        width = max(len(ids) for ids, _ in group)
        ids = torch.tensor([[pad] * (width - len(p)) + p for p, _ in group], device=device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p, _ in group], device=device)
        with torch.autocast(device, dtype=torch.bfloat16):
            out = target.generate(input_ids=ids, attention_mask=mask, max_new_tokens=args.max_answer, do_sample=False,
                                  pad_token_id=pad)[:, width:].tolist()
        with open(path, "a") as file:
            for (p, domain), tokens in zip(group, out):
                stop = tokens.index(target.config.eos_token_id) + 1 if target.config.eos_token_id in tokens else len(tokens)
                done.append([p + tokens[:stop], len(p), domain])
                file.write(json.dumps(done[-1]) + "\n")
    return done


def anchors_of(group: list, count: int, device: str) -> torch.Tensor:
    """(b, count) positions: the anchor and the token after it both belong to the answer."""
    return torch.stack([torch.randint(n, max(len(ids) - 1, n + 1), (count,)) for ids, n, _ in group]).to(device)


def padded(group: list, margin: int, device: str):
    """Ids (b, t + margin) with zeros behind every text, and the lengths (b) of the texts."""
    ids = torch.zeros(len(group), max(len(row) for row, _, _ in group) + margin, dtype=torch.long)
    for i, (row, _, _) in enumerate(group):
        ids[i, : len(row)] = torch.tensor(row)
    return ids.to(device), torch.tensor([len(row) for row, _, _ in group], device=device)


def block_logits(drafter, target, ids, length, states, anchors):
    """Logits (b, a, block - 1, vocab), what they should say, and which slots lie inside the text.

    ids (b, t + block) and length (b) of `padded`; states: the target's hidden states (b, t, hidden), embedding first.
    """
    features = torch.cat([states[layer + 1] for layer in drafter.c["layer_ids"]], -1)
    logits = target.lm_head(drafter(target.model.embed_tokens, ids, features, anchors))
    where = anchors[..., None] + torch.arange(1, drafter.c["block"], device=ids.device)
    truth = ids.gather(1, where.flatten(1)).view_as(where)
    return logits, truth, where < length[:, None, None]


def blocks_of(drafter, target, group: list, anchors, device: str):
    """`block_logits` of a fixed target."""
    ids, length = padded(group, drafter.c["block"], device)
    with torch.autocast(device, dtype=torch.bfloat16):
        with torch.no_grad():
            states = target.model(input_ids=ids[:, : -drafter.c["block"]], output_hidden_states=True,
                                  use_cache=False).hidden_states
        return block_logits(drafter, target, ids, length, states, anchors)


def loss_of(logits, truth, inside, gamma: float):
    """Cross-entropy weighted exp(-(k - 1) / gamma) at slot k: early slots decide how much is accepted."""
    weight = torch.exp(-torch.arange(truth.shape[-1], device=truth.device) / gamma) * inside
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 2), truth.flatten(), reduction="none")
    return (loss * weight.flatten()).sum() / weight.sum()


@torch.no_grad()
def judge(drafter, target, examples: list, device: str) -> dict:
    """Mean tokens per round of a greedy chain at random anchors, by domain (accepted drafts + bonus)."""
    torch.manual_seed(0)
    tau: dict[str, list[float]] = {}
    for example in examples:
        if len(example[0]) - example[1] < 2:
            continue
        logits, truth, inside = blocks_of(drafter, target, [example], anchors_of([example], 24, device), device)
        right = ((logits.argmax(-1) == truth) & inside).int().cumprod(-1).sum(-1)
        tau.setdefault(example[2], []).append(1 + right.float().mean().item())
    return {d: round(sum(v) / len(v), 3) for d, v in sorted(tau.items())}


def make_drafter(target, args, device: str, mask_id: int) -> Drafter:
    t = target.config
    last, m = t.num_hidden_layers - 3, args.features
    ids = args.layer_ids or ([round(1 + i * (last - 1) / (m - 1)) for i in range(m)] if m > 1 else [t.num_hidden_layers // 2])
    ids = sorted(set(ids))  # a shallow target has fewer layers than asked for
    torch.manual_seed(args.seed)
    theta = t.rope_parameters["rope_theta"]
    drafter = Drafter(dict(hidden=t.hidden_size, intermediate=t.intermediate_size, heads=t.num_attention_heads,
                           kv_heads=t.num_key_value_heads, head_dim=t.head_dim, rope_theta=theta, eps=t.rms_norm_eps,
                           layers=args.layers, layer_ids=ids, block=args.block, mask_id=mask_id, vocab=t.vocab_size))
    drafter.to(device).start_from(target)
    if args.start:
        drafter.load_state_dict({k: v.float() for k, v in load_file(args.start / "model.safetensors", device=device).items()})
    return drafter


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=pathlib.Path, required=True, help="Qwen3 folder to draft for")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of build_corpus.py")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="drafter folder to write")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for answers and checkpoints")
    parser.add_argument("--minutes", type=float, default=60, help="training time; the schedule follows it")
    parser.add_argument("--answer-minutes", type=float, default=30, help="time for the target's answers")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", type=pathlib.Path, help="drafter folder of the same shape to begin with")
    parser.add_argument("--mask-token", default="<|mask|>", help="an unused token of the target's vocabulary")
    parser.add_argument("--block", type=int, default=16)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--features", type=int, default=3, help="target layers to read, evenly spaced")
    parser.add_argument("--layer-ids", type=int, nargs="+", help="target layers to read, instead of --features")
    parser.add_argument("--anchors", type=int, default=24, help="blocks per answer and epoch")
    parser.add_argument("--gamma", type=float, default=7.0)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--tokens-per-batch", type=int, default=4096)
    parser.add_argument("--max-answer", type=int, default=220)
    parser.add_argument("--answers-at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(args.target)
    mask_id = tokenizer.convert_tokens_to_ids(args.mask_token)
    if mask_id is None or mask_id == tokenizer.unk_token_id:
        raise SystemExit(f"{args.target}: expected a mask token {args.mask_token!r} in the vocabulary, found none")
    target = Qwen3ForCausalLM.from_pretrained(args.target, dtype=torch.float32).to(device).eval().requires_grad_(False)
    held = [json.loads(line) for line in open(args.data / "heldout.jsonl", encoding="utf-8")]
    rows = [json.loads(line) for line in open(args.data / "train.jsonl", encoding="utf-8")]
    judged = answer(target, tokenizer, held, args, device, args.work / "heldout_answers.jsonl", 1e9)
    examples = answer(target, tokenizer, rows, args, device, args.work / "answers.jsonl", args.answer_minutes)
    examples = [e for e in examples if len(e[0]) - e[1] >= 2]
    drafter = make_drafter(target, args, device, mask_id)
    print(f"{sum(p.numel() for p in drafter.parameters()):,} parameters, {len(examples)} answers, layers "
          f"{drafter.c['layer_ids']}, on {device}; tokens per round at the start: "
          f"{judge(drafter, target, judged, device)}", flush=True)

    def loss(group: list) -> torch.Tensor:
        anchors = anchors_of(group, args.anchors, device)
        return loss_of(*blocks_of(drafter, target, group, anchors, device), args.gamma)

    training = Training(drafter, args.work / "drafter.pt", args.lr, args.minutes, args.seed, args.resume)
    state = training.run(examples, args.tokens_per_batch, loss, lambda done: 0.5 + 0.5 * math.cos(math.pi * done),
                         lambda: drafter.export(args.out, target.config.num_hidden_layers))
    state["tokens_per_round_of_a_chain"] = judge(drafter, target, judged, device)
    state["parameters"] = sum(p.numel() for p in drafter.parameters())
    (args.work / "drafter_figures.json").write_text(json.dumps(state, indent=1))
    print(json.dumps(state))


if __name__ == "__main__":
    main()
