"""The paper's figures, one module each.

Every module names the ``TABLES`` it draws and has a function ``figure``, which takes them as data frames and returns a matplotlib
figure of the paper's text width; it works in a notebook, too. To add a figure, add a module, its name to ``NAMES`` and a
caption in ``workflow/report/``.
"""

from importlib import import_module
from pathlib import Path

from dying_relu.analysis.figures import style
from dying_relu.errors import DyingReluError
from dying_relu.results import store

NAMES = (
    "born_dead",
    "phase_diagram",
    "over_time",
    "capacity",
    "learning_rate",
    "optimisers",
    "initial_bias",
    "anatomy",
    "survival",
    "remedies",
    "slopes",
    "data",
)


def draw(name: str, folder: Path, out: Path) -> None:
    """Draw the figure ``name`` from the tables in ``folder`` to the PDF file ``out``, and as a PNG beside it.

    Raises:
        DyingReluError: there is no such figure, or a table is missing.
    """
    if name not in NAMES:
        raise DyingReluError("unknown figure", found=repr(name), expected=f"one of {', '.join(NAMES)}")
    # Imported by name, so that editing one figure's code does not draw the others again.
    module = import_module(f"{__name__}.{name}")
    tables = {table: store.read(table, folder / f"{table}.parquet") for table in module.TABLES}
    style.save(module.figure(**tables), out)
