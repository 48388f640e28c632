#!/bin/sh
# Try everything on a GPU: equality tests, probe, benchmark, the smoke study's training; at most eight minutes, no network.
#
#   benchmarks/gpu.sh                        writes to results/benchmarks/gpu
#   benchmarks/gpu.sh --out "$OUT"           or elsewhere
#   benchmarks/gpu.sh --device cpu --short   proves the script on a machine without a GPU
#
# The exit code is 0 if all parts passed. Python is $PYTHON, or python3.
set -eu
cd "$(dirname "$0")/.."
PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
exec "${PYTHON:-python3}" -m benchmarks.gpu "$@"
