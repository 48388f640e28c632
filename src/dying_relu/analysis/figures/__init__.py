"""The paper's figures, one module each.

A module of a figure has a function ``figure``, which takes tables as data frames and returns a matplotlib figure of the paper's text
width; it works in a notebook, too. Beside it the module says, in literals, the figure's ``CAPTION``, the ``TABLES`` it takes, and
``COLUMNS``, the columns of a table with many rows (all of them, of other tables). The numbers are those of the verdicts: figures take them
from findings and claims, by :mod:`dying_relu.analysis.figures.evidence`. To add a figure, add a module; it may as well be an extension
(:mod:`dying_relu.extensions`).
"""

from pathlib import Path

from dying_relu.analysis.entries import FIGURES


def names() -> tuple[str, ...]:
    """The names of the figures, those of extensions at the end."""
    return tuple(FIGURES.names())


NAMES = names()
"""The names of the figures when this module was imported."""


def draw(name: str, folder: Path, out: Path) -> None:
    """Draw a figure as a PDF file, and as a PNG beside it.

    Args:
        name: of the figure.
        folder: with the study's tables.
        out: the PDF file to write.

    Raises:
        DyingReluError: there is no such figure, or a table is missing or damaged.
    """
    module = FIGURES.load(name)
    # Here, because the names are asked for where nothing is drawn.
    from dying_relu.analysis.figures import style
    from dying_relu.analysis.study_results import StudyResults

    study = StudyResults(folder)
    columns = getattr(module, "COLUMNS", {})
    tables = {table: study.table(table, columns.get(table, ())) for table in module.TABLES}
    style.save(module.figure(**tables), out)
