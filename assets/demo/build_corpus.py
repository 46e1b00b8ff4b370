#!/usr/bin/env python3
"""Builds the training text of the demo pair: generated stories, small talk and arithmetic, and, with --data, JSONL files.

Input files hold one JSON object a line with prompt, response and domain: *.train.jsonl to train on, *.heldout.jsonl
to judge on. Output: OUT/train.jsonl and OUT/heldout.jsonl in the same format.
"""

import argparse
import json
import pathlib
import random

from tqdm import tqdm

import story_generator

GENERATORS = {"story": story_generator.story, "chat": story_generator.chat, "arithmetic": story_generator.arithmetic}


def generated(domain: str, count: int, seed: int, seen: set[str]) -> list[dict]:
    """`count` rows of one generator; prompts and answers together are never repeated, also not across calls."""
    rng, rows = random.Random(f"{domain}-{seed}"), []
    for _ in tqdm(range(count), desc=f"generate {domain}", disable=None):
        for _ in range(50):
            prompt, response = GENERATORS[domain](rng)
            if prompt + response not in seen:
                seen.add(prompt + response)
                rows.append({"prompt": prompt, "response": response, "domain": domain})
                break
    return rows


def read_rows(folder: pathlib.Path, pattern: str, max_characters: int) -> list[dict]:
    """Rows of every matching file; rows longer than max_characters are left out."""
    rows = []
    for path in sorted(folder.glob(pattern)):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if not line:
                continue
            row = json.loads(line)
            missing = [k for k in ("prompt", "response", "domain") if k not in row]
            if missing:
                raise SystemExit(f"{path}:{number}: expected the keys prompt, response, domain; missing {missing}")
            if len(row["prompt"]) + len(row["response"]) <= max_characters:
                rows.append({k: row[k] for k in ("prompt", "response", "domain")})
    return rows


def write(path: pathlib.Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    counts = {d: sum(r["domain"] == d for r in rows) for d in sorted({r["domain"] for r in rows})}
    print(f"{path}: {len(rows)} rows {counts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder with *.train.jsonl and *.heldout.jsonl (optional)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write to")
    parser.add_argument("--stories", type=int, default=3000)
    parser.add_argument("--chats", type=int, default=1500)
    parser.add_argument("--arithmetic", type=int, default=2500)
    parser.add_argument("--heldout", type=int, default=60, help="held-out rows per generated domain")
    parser.add_argument("--max-characters", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    seen: set[str] = set()
    held_out = [r for d in GENERATORS for r in generated(d, args.heldout, args.seed + 1, seen)]
    train = [r for d, n in (("story", args.stories), ("chat", args.chats), ("arithmetic", args.arithmetic))
             for r in generated(d, n, args.seed, seen)]
    if args.data:
        train += read_rows(args.data, "*.train.jsonl", args.max_characters)
        held_out += read_rows(args.data, "*.heldout.jsonl", args.max_characters)
    random.Random(args.seed).shuffle(train)
    args.out.mkdir(parents=True, exist_ok=True)
    write(args.out / "train.jsonl", train)
    write(args.out / "heldout.jsonl", held_out)


if __name__ == "__main__":
    main()
