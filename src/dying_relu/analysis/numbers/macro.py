"""A number (or word) of the paper's text: its value and how it is printed."""

import math
from typing import NamedTuple

from dying_relu.analysis import formatting

Value = float | int | str | None

_FORMATS = {
    "percent": formatting.percent,
    "points": formatting.points,
    "number": formatting.number,
}


class Macro(NamedTuple):
    """A value, and its LaTeX."""

    value: Value
    latex: str


def macro(value: Value, form: str) -> Macro:
    r"""``value`` printed as ``form``: "percent", "points", "number", or "words" for plain text.

    >>> macro(0.25, "percent").latex
    '\\qty{25}{\\percent}'
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Macro(None, formatting.NOT_MEASURED)
    if form == "words":
        return Macro(value, formatting.escape(formatting.named(str(value))))
    return Macro(value, _FORMATS[form](float(value)))


def words(text: str) -> Macro:
    """Plain text."""
    return Macro(text, formatting.escape(text))
