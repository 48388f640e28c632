r"""The paper's tables: ``tabular`` environments only; captions and labels stand in the paper's text.

A table is a module with a function ``table``, which takes the :class:`~dying_relu.analysis.study_results.StudyResults` and returns LaTeX;
the file has the module's name. To add one, add a module and \input its file; it may as well be an extension
(:mod:`dying_relu.extensions`).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dying_relu import deprecated
from dying_relu.analysis.tables.writing import latex_of, names, write

__all__ = ["names", "write"]


def __getattr__(name: str) -> dict[str, Callable[[Path, Path], str]]:
    """The name that version 0.1.0 had for a mapping from a table's name to its function."""
    if name != "TABLES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated.warn(f"{__name__}.TABLES", f"{__name__}.names")
    return {table: partial(latex_of, table) for table in names()}
