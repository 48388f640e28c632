"""The address of the warm process, its answer, and what it must have in common with the command that asks."""

import os
import sys
from pathlib import Path

import dying_relu

VARIABLE = "DYING_RELU_WARM"
"""Environment variable: path of the warm process's socket."""

ACCEPTED = b"accepted\n"
"""The answer to a command that is about to run; its exit status follows when it has ended."""

THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables that libraries read when they are imported. Snakemake sets them to a job's number of threads."""

READ_AT_IMPORT = (*THREADS, "PYTHONPATH", "DYING_RELU_EXTENSIONS")


def environment() -> list[str]:
    """List what a fork has from the warm process and cannot change: Python's environment, the code as it is, what is read at import.

    An edit of the code changes the list: commands then run by themselves, with the code that they say they ran.
    """
    code = Path(dying_relu.__file__).parent
    times = [path.stat().st_mtime_ns for path in code.rglob("*.py")]
    read = [os.environ.get(name, "") for name in READ_AT_IMPORT]
    return [sys.prefix, str(code), str(len(times)), str(max(times)), *read]
