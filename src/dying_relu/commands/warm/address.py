"""The address of the warm process, its answer, and what it must have in common with the command that asks."""

import os
import sys
from pathlib import Path

import dying_relu

VARIABLE = "DYING_RELU_WARM"
"""Environment variable: path of the warm process's socket."""

ACCEPTED = b"accepted\n"
"""The answer to a command that is about to run; its exit status follows when it has ended."""

# Libraries read them when they are imported. Snakemake sets them to a job's number of threads.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment() -> list[str]:
    """List what a fork has from the warm process and cannot change: Python's environment, the code, the number of threads."""
    code = str(Path(dying_relu.__file__).parent)
    return [sys.prefix, code, *(os.environ.get(name, "") for name in THREADS)]
