#!/usr/bin/env python3
"""Trains a target and its drafter together, on the target's own answers, so that the target can be drafted for.

The drafter's loss reaches the target through the features it reads: an auxiliary multi-token loss. Begins with two
folders and WORK/answers.jsonl of train_drafter.py; run train_drafter.py once more afterwards, on new answers of the
target that comes out. Answers that never ended are left out, so that the target does not learn to repeat itself.
"""

import argparse
import json
import pathlib

import torch
from transformers import AutoTokenizer, Qwen3ForCausalLM

from train_drafter import anchors_of, block_logits, judge, loss_of, make_drafter, padded
from train_target import export
from training import Training


def together(drafter, target, group: list, args, device: str) -> torch.Tensor:
    """The target's next-token loss on the answers plus the drafter's loss, whose gradient reaches the target."""
    block = drafter.c["block"]
    ids, length = padded(group, block, device)
    text = ids[:, :-block]
    with torch.autocast(device, dtype=torch.bfloat16):
        out = target.model(input_ids=text, output_hidden_states=True, use_cache=False)
        logits = target.lm_head(out.last_hidden_state[:, :-1])
        drafts = block_logits(drafter, target, ids, length, out.hidden_states, anchors_of(group, args.anchors, device))
    where = torch.arange(1, text.shape[1], device=device)
    first = torch.tensor([n for _, n, _ in group], device=device)
    answers = ((where >= first[:, None]) & (where < length[:, None])).flatten()
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), text[:, 1:].flatten(), reduction="none")
    return (loss * answers).sum() / answers.sum() + args.draft_weight * loss_of(*drafts, args.gamma)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=pathlib.Path, required=True, help="Qwen3 folder to begin with")
    parser.add_argument("--start", type=pathlib.Path, required=True, help="drafter folder to begin with")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of the answers and the checkpoint")
    parser.add_argument("--out-target", type=pathlib.Path, required=True)
    parser.add_argument("--out-drafter", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=60, help="training time; the schedule follows it")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--anchors", type=int, default=16, help="blocks per answer and epoch")
    parser.add_argument("--gamma", type=float, default=4.0)
    parser.add_argument("--draft-weight", type=float, default=1.0, help="weight of the drafter's loss")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--tokens-per-batch", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    target = Qwen3ForCausalLM.from_pretrained(args.target, dtype=torch.float32).to(device)
    config = json.loads((args.start / "config.json").read_text())
    args.layer_ids, args.layers = config["dflash_config"]["target_layer_ids"], config["num_hidden_layers"]
    args.features, args.block = len(args.layer_ids), config["block_size"]
    drafter = make_drafter(target, args, device, config["dflash_config"]["mask_token_id"])
    examples = [json.loads(line) for line in open(args.work / "answers.jsonl")]
    stop = AutoTokenizer.from_pretrained(args.target).eos_token_id
    examples = [e for e in examples if e[0][-1] == stop and len(e[0]) - e[1] >= 2]
    held = [json.loads(line) for line in open(args.work / "heldout_answers.jsonl")]
    print(f"{len(examples)} answers that ended; tokens per round: {judge(drafter, target, held, device)}", flush=True)
    pair = torch.nn.ModuleDict({"target": target, "drafter": drafter})

    def save() -> None:
        export(target, args.work, args.out_target)
        drafter.export(args.out_drafter, target.config.num_hidden_layers)

    training = Training(pair, args.work / "together.pt", args.lr, args.minutes, args.seed, args.resume)
    state = training.run(examples, args.tokens_per_batch, lambda group: together(drafter, target, group, args, device),
                         lambda done: max(0.03, 1 - done), save)
    state["tokens_per_round_of_a_chain"] = judge(drafter, target, held, device)
    print(json.dumps(state))


if __name__ == "__main__":
    main()
