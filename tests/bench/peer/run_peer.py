#!/usr/bin/env python3
"""Compares Draftscope's CPU backend with llama.cpp's on one machine, in turns, on the same random bf16 weights.

  cmake --build --preset dev --target ds_bench_qwen3
  tests/bench/peer/run_peer.py --bench build/dev/ds_bench_qwen3

Builds llama.cpp (CPU backend, native instruction sets) from a Python source package pinned by version and hash,
makes a model of Qwen3-0.6B's shape, then runs both programs in turns, changing who goes first. Each of llama.cpp's
settings for attention runs, and each figure is compared with the setting that was faster for it. llama.cpp answers
with the logits of all rows; we answer with each row's most likely token and its probability, search included.
With one thread both are timed in processor time of their own process, otherwise in wall time. Writes medians,
ratios, versions and the machine's load to assets/results/peer-<machine>.json. Needs a network once, for the packages.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path, required=True, help="the program ds_bench_qwen3")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/peer", help="packages, build and model")
    parser.add_argument("--alternations", type=int, default=5)
    parser.add_argument("--threads", default=",".join(map(str, sorted({1, usable_cpus()}))))
    parser.add_argument("--rows", default="1,8,16,32,64", help="ascending")
    parser.add_argument("--context", default="0,512")
    parser.add_argument("--repeats", type=int, default=3, help="passes per figure and turn")
    parser.add_argument("--decode-tokens", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=usable_cpus(), help="of the build")
    parser.add_argument("--out", type=pathlib.Path, help="default: assets/results/peer-<machine>.json")
    return parser.parse_args(argv)


def usable_cpus():
    return len(os.sched_getaffinity(0))


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


def python_of(work):
    """A Python with the pinned packages."""
    python = work / "venv/bin/python"
    if not python.exists():
        venv.create(work / "venv", with_pip=True)
        run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            "-r", HERE / "requirements.txt")
    return python


def build_peer(work, python, jobs):
    sources = sorted(work.glob("llama_cpp_python-*/vendor/llama.cpp"))
    if not sources:
        run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--require-hashes",
            "-d", work, "-r", HERE / "source-requirements.txt")
        with tarfile.open(next(work.glob("llama_cpp_python-*.tar.gz"))) as package:
            package.extractall(work, filter="data")
        sources = sorted(work.glob("llama_cpp_python-*/vendor/llama.cpp"))
    # Makefiles, since the package's files may be dated after this machine's clock, which Ninja does not forgive.
    run("cmake", "-S", HERE, "-B", work / "build", "-G", "Unix Makefiles", f"-DLLAMA_CPP_DIR={sources[-1]}")
    run("cmake", "--build", work / "build", "--target", "peer_llama", "-j", jobs)
    return work / "build/peer_llama", sources[-1].parents[1].name


def one_turn(command, work):
    figures = work / "turn.json"
    subprocess.run([str(part) for part in [*command, "--json", figures]], check=True, stdout=subprocess.DEVNULL)
    return json.loads(figures.read_text())


def take_turns(options, peer, model):
    """[(program, threads, load before, figures)], in the order they ran."""
    turns = []
    for turn in range(options.alternations):
        for threads in options.threads.split(","):
            common = ["--rows", options.rows, "--context", options.context, "--repeats", options.repeats,
                      "--decode-tokens", options.decode_tokens, "--threads", threads]
            programs = {"draftscope": [options.bench, "--model", model, *common]}
            for setting in ("on", "off"):
                programs[f"llama.cpp, flash attention {setting}"] = [
                    peer, "--model", model / "model.gguf", "--flash-attention", setting, *common]
            for name in list(programs)[::1 if turn % 2 == 0 else -1]:
                load = os.getloadavg()[0]
                turns.append((name, int(threads), load, one_turn(programs[name], options.work)))
                print(f"turn {turn + 1}/{options.alternations}, {threads} thread(s), {name}: load {load:.1f}",
                      file=sys.stderr)
    return turns


def medians(turns, threads, pick):
    """Median over the turns of what `pick` finds in a turn's figures, for each program."""
    found = {}
    for name, used, _, figures in turns:
        if used == threads:
            found.setdefault(name, []).append(pick(figures))
    return {name: statistics.median(values) for name, values in found.items()}


def compare(turns, threads, pick, smaller_is_better):
    found = medians(turns, threads, pick)
    ours = found.pop("draftscope")
    peer = (min if smaller_is_better else max)(found, key=found.get)
    return {"draftscope": ours, "llama_cpp": found[peer], "llama_cpp_setting": peer,
            "all_settings": found, "speedup": found[peer] / ours if smaller_is_better else ours / found[peer]}


def find(figures, **wanted):
    return next(row for row in figures if all(row[key] == value for key, value in wanted.items()))


def same_answers(turns):
    """Share of rows whose most likely token is the same in both programs: they compute the same model."""
    by_name = {name: figures["answers_of_last_pass"] for name, _, _, figures in turns}
    ours = by_name.pop("draftscope")
    pairs = [(a, b) for peer in by_name.values() for mine, its in zip(ours, peer)
             for a, b in zip(mine["token"], its["token"])]
    return sum(a == b for a, b in pairs) / len(pairs)


def summary(options, turns, package):
    ours = [figures for name, _, _, figures in turns if name == "draftscope"]
    peers = [figures for name, _, _, figures in turns if name != "draftscope"]
    contexts = [int(text) for text in options.context.split(",")]
    report = {"schema": "peer/1", "machine": ours[0]["machine"], "cpus": usable_cpus(), "backend": ours[-1]["backend"],
              "peer": f"llama.cpp {peers[0]['version']} from {package}", "alternations": options.alternations,
              "load": {"at_least": min(load for _, _, load, _ in turns), "at_most": max(load for _, _, load, _ in turns),
                       "meaning": "one-minute load average before each turn, the benchmark's own threads included"},
              "clock": "processor time with 1 thread, wall time otherwise", "same_answers": same_answers(turns),
              "memory": {"draftscope": ours[-1]["memory"],
                         "llama_cpp_peak_rss_bytes": max(figures["peak_rss_bytes"] for figures in peers)},
              "verify_ms": [], "decode_tokens_per_s": []}
    for threads in map(int, options.threads.split(",")):
        for context in contexts:
            for rows in map(int, options.rows.split(",")):
                pick = lambda f: find(f["passes"], context=context, rows=rows)["median_ms"]
                report["verify_ms"].append({"threads": threads, "context": context, "rows": rows,
                                            **compare(turns, threads, pick, True)})
            pick = lambda f: find(f["decode"], context=context)["tokens_per_s"]
            share = lambda f: find(f["decode"], context=context)["of_read_bandwidth"]
            mine = [figures for name, used, _, figures in turns if name == "draftscope" and used == threads]
            report["decode_tokens_per_s"].append(
                {"threads": threads, "context": context, **compare(turns, threads, pick, False),
                 "draftscope_of_read_bandwidth": statistics.median(map(share, mine)),
                 "read_gb_per_s": statistics.median(figures["read_gb_per_s"] for figures in mine)})
    return report


def main(argv):
    options = parse(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    python = python_of(options.work)
    peer, package = build_peer(options.work, python, options.jobs)
    model = options.work / "model"
    if not (model / "config.json").exists():
        run(python, HERE / "make_random_qwen3.py", model)
    report = summary(options, take_turns(options, peer, model), package)
    slug = re.sub(r"[^a-z0-9]+", "-", report["machine"].lower()).strip("-")
    out = options.out or ROOT / f"assets/results/peer-{slug}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")
    for row in report["verify_ms"] + report["decode_tokens_per_s"]:
        unit = "ms" if "rows" in row else "tokens/s"
        what = f"verify {row['rows']:>3} rows" if "rows" in row else "plain decoding"
        print(f"{row['threads']} thread(s), context {row['context']:>4}, {what}: ours {row['draftscope']:.1f} {unit}, "
              f"llama.cpp {row['llama_cpp']:.1f} {unit}, {row['speedup']:.2f} x")
    print(f"same answers: {report['same_answers']:.1%}; figures in {out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
