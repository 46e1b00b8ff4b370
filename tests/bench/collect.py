#!/usr/bin/env python3
"""Runs the project's own benchmarks and writes what they measured, with the machine named, as one JSON file.

Build first: cmake --build --preset dev --target draftscope ds_bench_kernels ds_bench_speculate ds_bench_lab
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import tempfile


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(": ", 1)[1]
    return platform.processor()


def google_benchmark(program: pathlib.Path, repetitions: int, only: str, folder: str) -> list[dict]:
    """Medians of every case whose name matches `only`, with its counters."""
    figures = pathlib.Path(folder) / "google-benchmark.json"
    subprocess.run([program, f"--benchmark_out={figures}", "--benchmark_out_format=json", f"--benchmark_filter={only}",
                    f"--benchmark_repetitions={repetitions}", "--benchmark_report_aggregates_only=true"], check=True)
    rows = json.loads(figures.read_text())["benchmarks"]
    plain = {"run_name", "real_time", "cpu_time", "time_unit"}
    known = {"name", "family_index", "per_family_instance_index", "run_type", "repetitions", "repetition_index", "threads",
             "aggregate_name", "aggregate_unit", "iterations"} | plain
    return [{k: v for k, v in row.items() if k in plain or k not in known} for row in rows
            if row.get("aggregate_name") == "median"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with the programs")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file to write")
    parser.add_argument("--prompts", type=pathlib.Path, help="JSON lines for `bench`; default: the shipped prompts")
    parser.add_argument("--kernels", default=".", help="regular expression: which kernel benchmarks to run")
    parser.add_argument("--repetitions", type=int, default=3)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        figures = pathlib.Path(folder) / "bench.json"
        prompts = ["--prompts", str(args.prompts)] if args.prompts else []
        load = os.getloadavg()[0]
        subprocess.run([args.build / "draftscope", "bench", "--out", figures, *prompts], check=True)
        result = {"machine": processor(), "cores": os.cpu_count(), "date": datetime.date.today().isoformat(),
                  "load_before": load, "provenance": "measured", "demo_pair": json.loads(figures.read_text()),
                  "kernels": google_benchmark(args.build / "ds_bench_kernels", args.repetitions, args.kernels, folder),
                  "speculate": google_benchmark(args.build / "ds_bench_speculate", args.repetitions, ".", folder),
                  "lab": google_benchmark(args.build / "ds_bench_lab", args.repetitions, ".", folder)}
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
