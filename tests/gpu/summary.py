#!/usr/bin/env python3
"""Joins what tests/gpu/run measured into one gpu-<name>.json and prints a short table, goals beside the values.

Reads bench.*.json (ds_bench_gpu, a file of each shape), in_order.*.json (the same without overlapping launches: a few passes
for comparison, or all where the former failed), fastest.*.json (with cuBLASLt for many rows), transformers.json
(transformers_pass.py) and parts.json (which parts of the run passed) from a folder; each may be missing. Prints only what
was measured.
"""

import argparse
import datetime
import json
import pathlib
import re
import sys

H200_BYTES_PER_S = 4.8e12  # of its data sheet; the goals speak of it
SHARE_GOAL = {"Qwen3-8B shape": 0.80, "Qwen3-4B shape": 0.75, "Qwen3-0.6B shape": 0.45}
RATIO_GOALS = {16: 1.05, 64: 1.15}  # of Cv(rows) / Cv(1), for these:
RATIO_MODELS = ("Qwen3-4B shape", "Qwen3-8B shape")
OVERHEAD_GOAL_US, SPEEDUP_GOAL, SPEEDUP_ROWS = 60.0, 5.0, 64


def read(path: pathlib.Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def joined(folder: pathlib.Path, pattern: str) -> dict:
    """The figures of several processes as if of one: all models that were measured, the first device and the first pair."""
    whole = {"device": None, "demo_pair": None, "models": []}
    for path in sorted(folder.glob(pattern)):
        figures = read(path) or {}
        whole["models"] += [{"launches": figures["launches"], **model} for model in filter(None, figures.get("models", []))]
        for key in ("device", "demo_pair"):
            whole[key] = whole[key] or figures.get(key)
    return whole


def launches(folder: pathlib.Path) -> tuple[dict, dict]:
    """All figures, and those of launches in order; the former hold the latter where overlapping launches gave none."""
    bench, in_order = joined(folder, "bench.*json"), joined(folder, "in_order.*json")
    names = {model["name"] for model in bench["models"]}
    bench["models"] += [model for model in in_order["models"] if model["name"] not in names]
    bench["device"] = bench["device"] or in_order["device"]
    return bench, in_order


def verdict(met: bool) -> str:
    return "met" if met else "missed"


def passes_of(figures: dict) -> dict:
    """Median milliseconds by (context, rows)."""
    return {(p["context"], p["rows"]): p["median_ms"] for p in figures.get("passes", [])}


def share_rows(model: dict, copy: float | None, is_h200: bool):
    ms = passes_of(model)
    for context in sorted({c for c, rows in ms if rows == 1}):
        n_bytes = model["weight_bytes"] + context * model["kv_bytes_per_token"]
        rate = n_bytes / ms[context, 1] * 1e3
        row = {"figure": "share of bandwidth", "model": model["name"], "context": context, "rows": 1,
               "ms": ms[context, 1], "bytes_per_s": rate, "of_4.8_TB_per_s": rate / H200_BYTES_PER_S}
        if copy:
            row["of_measured_copy"] = rate / copy
        goal = SHARE_GOAL.get(model["name"])
        if goal and context <= 2048 and is_h200:
            row["goal"], row["verdict"] = f">= {goal:.0%} of 4.8 TB/s", verdict(rate / H200_BYTES_PER_S >= goal)
        yield row


def ratio_rows(model: dict):
    ms = passes_of(model)
    for context, rows in sorted(ms):
        if rows not in (16, 64, 128, 256) or (context, 1) not in ms:
            continue
        row = {"figure": "Cv(n) / Cv(1)", "model": model["name"], "context": context, "rows": rows,
               "ms": ms[context, rows], "ratio": ms[context, rows] / ms[context, 1]}
        goal = RATIO_GOALS.get(rows)
        if goal and context <= 2048 and model["name"] in RATIO_MODELS:
            row["goal"], row["verdict"] = f"<= {goal}", verdict(row["ratio"] <= goal)
        yield row


def speedup_rows(model: dict, reference: dict):
    ours = passes_of(model)
    for p in reference.get("passes", []):
        at = (p["context"], p["rows"])
        if p["model"] != model["name"] or at not in ours:
            continue
        row = {"figure": "transformers / ours", "model": model["name"], "context": at[0], "rows": at[1], "ms": ours[at],
               "transformers_ms": p["median_ms"], "ratio": p["median_ms"] / ours[at]}
        if at[1] == SPEEDUP_ROWS:
            row["goal"], row["verdict"] = f">= {SPEEDUP_GOAL:g}x", verdict(row["ratio"] >= SPEEDUP_GOAL)
        yield row


def other_rows(model: dict, others: list[dict], figure: str, key: str):
    """The same passes done another way; the ratio is the other way's time over the deployed one's."""
    ours = passes_of(model)
    for other in others if model["launches"] == "overlap" else []:
        for at, ms in sorted(passes_of(other).items()) if other["name"] == model["name"] else []:
            if at in ours:
                yield {"figure": figure, "model": model["name"], "context": at[0], "rows": at[1], "ms": ours[at], key: ms,
                       "ratio": ms / ours[at]}


def round_row(name: str, rounds: dict):
    us = rounds["grow_accept_commit"]["median_ms"] * 1e3
    return {"figure": "round outside draft and verify", "model": name, "context": rounds["context"], "us": us,
            "draft_us": rounds["draft"]["median_ms"] * 1e3, "verify_us": rounds["verify"]["median_ms"] * 1e3,
            "wall_us": rounds["wall"]["median_ms"] * 1e3, "host_us": rounds["wall_less_device_stages"]["median_ms"] * 1e3,
            "goal": f"<= {OVERHEAD_GOAL_US:g} us", "verdict": verdict(us <= OVERHEAD_GOAL_US)}


def batch_rows(batches: list[dict]):
    for batch in batches:
        for where in ("plain", "device", "host"):
            yield {"figure": "batch", "model": "demo pair", "requests": batch["requests"], "decided": where, **batch[where]}


def table_of(bench: dict, reference: dict, in_order: dict, fastest: dict) -> list[dict]:
    device = bench.get("device") or {}
    rows = []
    for model in bench["models"]:
        of_model = [*share_rows(model, device.get("copy_bytes_per_s"), "H200" in device.get("name", "")), *ratio_rows(model),
                    *speedup_rows(model, reference),
                    *other_rows(model, in_order["models"], "launches in order / overlapping", "in_order_ms"),
                    *other_rows(model, fastest["models"], "fastest / invariant numerics", "fastest_ms")]
        of_model += [{"figure": "drafter block", "model": model["name"], "context": d["context"], "ms": d["median_ms"]}
                     for d in model["drafter"]]
        if model.get("rounds"):
            of_model.append(round_row(model["name"], model["rounds"]))
        rows += [row if model["launches"] == "overlap" else {**row, "launches": "in order"} for row in of_model]
    demo = bench.get("demo_pair") or {}
    if demo.get("rounds"):
        rows.append(round_row("demo pair", demo["rounds"]))
    for m in demo.get("methods", []):
        rows.append({"figure": "method", "model": "demo pair", **m})
    rows += batch_rows(demo.get("batches", []))
    return rows


def line_of(row: dict) -> str:
    where = " ".join(f"{k} {row[k]}" for k in ("context", "rows") if k in row and row["figure"] != "method")
    skipped = {"figure", "model", "context", "rows", "goal", "verdict", "n"}
    if row["figure"] == "method":
        return (f"{row['model']:16} {row['method']:10} {row.get('tokens_per_s', 0):9.0f} tokens/s  "
                f"{row['tokens_per_round']:5.2f} tokens/round  exact {row['exact']}/{row['texts']}")
    if row["figure"] == "batch":
        return (f"{row['model']:16} batch of {row['requests']}, {row['decided']:8} {row['tokens_per_s']:9.0f} tokens/s  "
                f"pass {row['median_pass_ms']:.3g} ms  exact {row['exact']}/{row['texts']}")
    values = "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k not in skipped and isinstance(v, (int, float)))
    goal = f"  [{row['goal']}: {row['verdict']}]" if "goal" in row else ""
    goal += "  (launches in order)" if "launches" in row else ""
    return f"{row['model']:16} {row['figure']:30} {where:22} {values}{goal}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="with the parts' files")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for gpu-<name>.json")
    args = parser.parse_args()
    bench, in_order = launches(args.folder)
    reference, parts = read(args.folder / "transformers.json") or {}, read(args.folder / "parts.json") or {}
    if not bench.get("device"):
        print("no figures: the benchmark measured nothing")
        return 0
    fastest = joined(args.folder, "fastest.*json")
    table = table_of(bench, reference, in_order, fastest)
    slug = re.sub(r"[^a-z0-9]+", "-", bench["device"]["name"].lower()).strip("-")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"gpu-{slug}.json"
    report = {"date": datetime.date.today().isoformat(), "provenance": "measured", "device": bench["device"], "parts": parts,
              "table": table, "bench": bench, "in_order": in_order["models"], "fastest": fastest["models"], "transformers": reference or None}
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    shown = {1, 16, 64, 256}
    for row in table:
        if row["figure"] != "Cv(n) / Cv(1)" or row["rows"] in shown:
            print(line_of(row))
    copy = bench["device"]["copy_bytes_per_s"]
    product = (reference.get("ceilings") or {}).get("product_flop_per_s")
    print(f"{bench['device']['name']}: copy {copy / 1e12:.2f} TB/s" +
          (f", bf16 product {product / 1e12:.0f} TFLOP/s" if product else ""))
    print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
