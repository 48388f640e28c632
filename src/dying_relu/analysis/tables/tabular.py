"""One way of making a ``tabular``, or one that breaks over pages: pandas' Styler with booktabs' rules."""

import pandas as pd

from dying_relu.analysis.latex import NOT_MEASURED


def tabular(table: pd.DataFrame, column_format: str) -> str:
    """``table`` as a ``tabular`` environment with booktabs' rules.

    Args:
        table: cells and column names are LaTeX already (see :mod:`dying_relu.analysis.latex`); numbers that are
            missing become dashes.
        column_format: LaTeX's specification of the columns.
    """
    return _latex(table, column_format, None)


def long_tabular(table: pd.DataFrame, column_format: str) -> str:
    """``table`` as a ``longtable*``, which breaks over pages, repeats its head, and takes no number.

    Args:
        table: as :func:`tabular` takes it.
        column_format: LaTeX's specification of the columns.
    """
    return _latex(table, column_format, "longtable").replace("{longtable}", "{longtable*}")


def _latex(table: pd.DataFrame, column_format: str, environment: str | None) -> str:
    text = table.style.hide(axis="index").to_latex(
        hrules=True, siunitx=True, column_format=column_format, multicol_align="c", environment=environment
    )
    return text.replace(NOT_MEASURED, "--")
