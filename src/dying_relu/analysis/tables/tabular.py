"""One way of making a ``tabular``: pandas' Styler with booktabs' rules."""

import pandas as pd

from dying_relu.analysis.latex import NOT_MEASURED


def tabular(table: pd.DataFrame, column_format: str) -> str:
    """``table`` as a ``tabular`` environment with booktabs' rules.

    Args:
        table: cells and column names are LaTeX already (see :mod:`dying_relu.analysis.latex`); numbers that are
            missing become dashes.
        column_format: LaTeX's specification of the columns.
    """
    style = table.style.hide(axis="index")
    text = style.to_latex(hrules=True, siunitx=True, column_format=column_format, multicol_align="c")
    return text.replace(NOT_MEASURED, "--")
