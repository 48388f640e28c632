"""The tests that hold the engine to plain PyTorch, and captured steps to steps as they are, on the device."""

import os
from importlib.util import find_spec

import pytest

# At once, for the package that is missing to be named: pytest would report a broken test.
import dying_relu.training.trainer  # noqa: F401
from benchmarks.gpu.parts import ROOT, Options

PROCESSES = 6
"""That test at the same time, where pytest-xdist is installed: a test's own time is mostly that of launching small kernels."""
TESTS = ("tests/stack/test_execution.py", "tests/training/test_captured_step.py")


def run(options: Options) -> int:
    """Run the tests with pytest.

    Args:
        options: the device, and whether a sample of the tests will do.

    Returns:
        pytest's exit code.
    """
    os.environ["DYING_RELU_DEVICE"] = options.device
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    print(
        "Tolerances: 1e-9 (float64, plain), 1e-8 and 1e-7 (changed updates, normalised), 1e-3 (float32, 20 steps)."
    )
    print("TF32 is off. Graphs: 1e-4 after 12 steps.")
    arguments = [str(ROOT / test) for test in TESTS]
    # The tests' shared settings need packages that these tests do not.
    arguments += ["--noconftest", "-p", "benchmarks.gpu.libraries", "-p", "no:cacheprovider", "-q", "-rs"]
    arguments += ["--rootdir", str(ROOT), "--durations=5"]
    arguments += ["-k", "mlp-sgd or mlp-relu-adam"] if options.short else []
    arguments += ["-p", "xdist", "-n", str(PROCESSES)] if find_spec("xdist") and not options.short else []
    return int(pytest.main(arguments))
