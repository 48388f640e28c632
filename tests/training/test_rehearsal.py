"""A rehearsal leaves a process as it was, but for what it has loaded."""

import os
import subprocess
import sys

import pytest
import torch

from dying_relu.training.rehearsal import rehearse

WHAT_IS_LOADED = """
import os, sys
from numba.core.dispatcher import Dispatcher
from dying_relu.training.rehearsal import rehearse
rehearse()
ours = [module for name, module in sys.modules.items() if name.startswith("dying_relu.")]
loops = [value for module in ours for value in vars(module).values() if isinstance(value, Dispatcher)]
print(sum(bool(loop.overloads) for loop in loops))
print(len(os.listdir("/proc/self/task")))
"""


def test_nothing_random_depends_on_it() -> None:
    before = torch.get_rng_state()
    rehearse()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's list of threads")
def test_compiled_loops_are_loaded_and_no_threads_started() -> None:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", WHAT_IS_LOADED],
        env=os.environ | one,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, threads = map(int, done.stdout.split())
    assert loaded > 0
    # Besides Python's own, one of a memory allocator, which starts it again in a fork.
    assert threads <= 2
