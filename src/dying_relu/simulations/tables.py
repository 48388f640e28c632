"""A simulation's job: one thread, and a table that carries its origin."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from dying_relu.results import store
from dying_relu.results.origin import of_simulation
from dying_relu.stack import allocator


def keep(name: str, simulate: Callable[[], pd.DataFrame], module: str, out: Path) -> None:
    """Simulate, and write the table ``name`` of :mod:`dying_relu.results.schemas` to the file ``out``.

    Args:
        name: of the table.
        simulate: returns its rows, with the columns of its schema.
        module: the full name of the module that defines ``simulate``.
        out: parquet file.
    """
    torch.set_num_threads(1)
    allocator.keep_freed_memory()
    store.write(name, simulate(), out, of_simulation(module))
