#!/usr/bin/env bash
# Renders every picture of this folder from fresh recordings of the demo pair. Usage: screenshots/make.sh PROGRAM
set -euo pipefail
program=$(realpath "${1:?usage: screenshots/make.sh build/dev/draftscope}")
cd "$(dirname "$0")"
trace=$(mktemp); dense=$(mktemp); batch=$(mktemp); trap 'rm -f "$trace" "$dense" "$batch"' EXIT
prompt="Tell a bedtime story with Mia, Tom and a small lantern."
round=7
"$program" record --prompt "$prompt" --method exact --trace "$trace"
for panel in window tree throughput marginals transcript timeline cost; do
  size=(--width 1200 --height 700)
  [ "$panel" != window ] || size=(--width 1600 --height 900)
  "$program" render --trace "$trace" --panel "$panel" --round "$round" "${size[@]}" --out "$panel.png"
done
"$program" render --trace "$trace" --panel window --round "$round" --width 3200 --height 1800 --scale 2 --out window-200.png

gpu=../assets/cost/a800-qwen3-8b-convex.json  # where a large model would decide
"$program" record --dense --cost "$gpu" --prompt "$prompt" --trace "$dense"
for panel in lab policies budgets regret calibration sweep; do
  "$program" render --trace "$dense" --panel "$panel" --round 40 --width 1600 --height 900 --out "$panel.png"
done
"$program" render --trace "$dense" --panel lab --round 40 --width 3200 --height 1800 --scale 2 --out lab-200.png
"$program" render --trace "$dense" --panel lab --round 40 --width 1600 --height 900 --theme light --out lab-light.png

"$program" batch --cost "$gpu" --concurrency 8 --arrival 3 --max-tokens 120 --trace "$batch" > /dev/null
"$program" render --trace "$batch" --panel batch --request 4 --round 2 --width 1600 --height 900 --out batch.png
"$program" render --trace "$batch" --panel window --request 4 --round 2 --width 1600 --height 900 --out batch-window.png
