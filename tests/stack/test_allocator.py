"""Freed memory stays with the process: allocating it again faults no page in."""

import resource
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, torch
from dying_relu.stack import allocator
if sys.argv[1] == "keep" and not allocator.keep_freed_memory():
    sys.exit(77)
torch.set_num_threads(1)
for step in range(150):
    if step == 50:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(2**19), torch.ones(2**18)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=False)
    if run.returncode == 77:
        pytest.skip("the C library is not glibc")
    return int(run.stdout)


def test_memory_is_used_again() -> None:
    # Not none at all: the kernel may take pages away and give them back, and the heap may grow once more.
    pages = 100 * 3 * 2**20 // resource.getpagesize()
    assert faults("keep") < pages / 2
