"""Python modules from outside the package that add to it: an activation, a figure, a table, a claim, ...

They are named in the environment variable ``DYING_RELU_EXTENSIONS``, separated by commas, and must be importable; so a command, a job
of the workflow and a test see the same ones.
"""

import os
from functools import cache
from importlib import import_module

VARIABLE = "DYING_RELU_EXTENSIONS"


def names() -> tuple[str, ...]:
    """The names of the modules, in the order of the environment variable."""
    return tuple(name for name in map(str.strip, os.environ.get(VARIABLE, "").split(",")) if name)


def load() -> None:
    """Import every extension, each once."""
    for name in names():
        _imported(name)


@cache
def _imported(name: str) -> None:
    import_module(name)
