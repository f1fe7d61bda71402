#!/bin/sh
# Makes the demo model from nothing: texts, training, export, judgement. README.md has the recipe.
# Needs Node, g++, and Python 3 with PyTorch, NumPy and OpenBLAS (Debian: python3-torch python3-numpy libopenblas0-pthread).
set -eu
cd "$(dirname "$0")"
python="${PYTHON:-python3}"

# PyTorch allocates and frees a tensor for each operation: keep that memory instead of giving it back to the system.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456
# fast.cpp has its own threads.
export OMP_NUM_THREADS=1

npx tsx corpus.ts
"$python" train.py "$@"
"$python" export.py
"$python" evaluate.py
