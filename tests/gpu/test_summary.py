#!/usr/bin/env python3
"""Runs the GPU benchmark in tiny sizes (its program is the argument) and joins its figures: every field that a reader of
gpu-<name>.json meets must be there."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def check(condition: bool, what: str) -> None:
    if not condition:
        sys.exit(f"test_summary: {what}")


def invent_reference(bench: dict) -> dict:
    """A reference file in the form transformers_pass.py writes, with made-up times: the join is tested, not the times."""
    name = bench["models"][0]["name"]
    return {"passes": [{"model": name, "context": p["context"], "rows": p["rows"], "median_ms": 7.0, "n": 1}
                       for p in bench["models"][0]["passes"]], "ceilings": {"product_flop_per_s": 1.0}}


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.argv[1], "--tiny", "--json", folder / "bench.json", "--pair", here.parent / "golden/e2e/trained",
                        "--prompts", here.parent.parent / "assets/prompts.jsonl"], check=True)
        bench = json.loads((folder / "bench.json").read_text())
        model, demo = bench["models"][0], bench["demo_pair"]
        check({(p["context"], p["rows"]) for p in model["passes"]} == {(c, r) for c in (0, 12) for r in (1, 2, 8)},
              "expected a pass for every context and row count")
        check(all(p["median_ms"] > 0 for p in model["passes"] + model["drafter"]), "expected positive times")
        check(model["weight_bytes"] > 0 and model["kv_bytes_per_token"] == 3 * 2 * 2 * 32 * 2, "expected bytes of the shape")
        check(set(model["families"][0]["ms"]) == {"qkv_append", "attention", "o_and_down", "gate_up", "head",
                                                  "embed_and_norm"}, "expected every family of operations")
        subprocess.run([sys.argv[1], "--tiny", "--launches", "in-order", "--json", folder / "in_order.json"],
                       check=True)
        in_order = json.loads((folder / "in_order.json").read_text())
        check((bench["launches"], in_order["launches"]) == ("overlap", "in-order"), "expected both kinds of launches")
        (folder / "fastest.json").write_text(json.dumps({**bench, "numerics": "fastest"}))
        check("rounds on the device" in model["rounds"]["backend"], "expected rounds on the device")
        check([m["method"] for m in demo["methods"]] == ["plain", "dflash", "ddtree 16", "ddtree 32", "ddtree 64", "caddtree",
                                                         "exact"], "expected every method")
        check(all(m["exact"] == m["texts"] > 0 for m in demo["methods"]), "expected plain decoding's text by every method")
        for batch in demo["batches"]:
            check(all(batch[w]["exact"] == batch[w]["texts"] == batch["requests"] for w in ("plain", "device", "host")),
                  "expected plain decoding's text by every batch")
            check("rounds on the device" in batch["device"]["backend"] and "on the host" in batch["host"]["backend"],
                  "expected one batch of the device and one of the host")
        check(len(demo["profile"]["verify_s"]) == len(demo["profile"]["rows"]), "expected a whole profile")

        (folder / "transformers.json").write_text(json.dumps(invent_reference(bench)))
        (folder / "parts.json").write_text('{"correctness": "passed"}')
        out = subprocess.run([sys.executable, here / "summary.py", folder, "--out", folder / "out"], check=True,
                             capture_output=True, text=True).stdout
        print(out)
        joined = json.loads((folder / "out" / "gpu-emulated-device.json").read_text())
        figures = {row["figure"] for row in joined["table"]}
        check(figures == {"share of bandwidth", "transformers / ours", "drafter block", "round outside draft and verify",
                          "method", "batch", "launches in order / overlapping", "fastest / invariant numerics"}, f"expected every figure, found {sorted(figures)}")
        pair_only = {**bench, "models": []}
        for files, kept in [({"bench.pair": pair_only, "bench.tiny": bench}, "overlap"),
                            ({"bench.pair": pair_only, "bench.tiny": bench, "in_order.tiny": in_order}, "overlap"),
                            ({"bench.tiny": {**bench, "models": [None]}, "in_order.tiny": in_order}, "in-order")]:
            cut = folder / "cut"
            cut.mkdir()
            for part, figures_of_part in files.items():
                (cut / f"{part}.json").write_text(json.dumps(figures_of_part))
            out_of_cut = subprocess.run([sys.executable, here / "summary.py", cut, "--out", cut], check=True,
                                        capture_output=True, text=True).stdout
            joined = json.loads((cut / "gpu-emulated-device.json").read_text())
            check([m["launches"] for m in joined["bench"]["models"]] == [kept], f"expected {kept} launches of {sorted(files)}")
            check(("(launches in order)" in out_of_cut) == (kept == "in-order"), "expected the table to say which launches")
            check(joined["bench"]["demo_pair"] is not None, "expected the pair's figures among those of the shapes")
            shutil.rmtree(cut)
        check("tokens/round" in out and "us: " in out, "expected methods and goals in the table")


if __name__ == "__main__":
    main()
