"""A number (or word) of the paper's text: its value and how it is printed."""

import math
import re
from typing import NamedTuple

from dying_relu.analysis import latex as formatting

Value = float | int | str | None

_FORMATS = {
    "percent": formatting.percent,
    "points": formatting.points,
    "number": formatting.number,
}

_UNITS = {"percent": 100, "points": 100}


class Macro(NamedTuple):
    """A value of the paper's text, and its LaTeX."""

    value: Value
    latex: str


def macro(value: Value, form: str) -> Macro:
    r"""Print a value as LaTeX.

    Args:
        value: a number or a word; None or NaN for one that was not measured.
        form: "percent", "points", "number", or "words" for plain text.

    >>> macro(0.25, "percent").latex
    '\\qty{25}{\\percent}'
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Macro(None, formatting.NOT_MEASURED)
    if form == "words":
        return Macro(value, formatting.with_minus_signs(formatting.escape(formatting.named(str(value)))))
    return Macro(value, _FORMATS[form](float(value)))


def with_interval(effect: float, low: float, high: float, form: str) -> str:
    r"""Print an estimate and, unless it has no width, its interval in square brackets as LaTeX; the unit stands once.

    Args:
        effect: the estimate.
        low: the lower end of the interval.
        high: the upper end of the interval.
        form: of all three; see :func:`macro`.

    >>> with_interval(0.5, 0.25, 0.75, "points")
    '\\num{50} points [\\num{25}, \\num{75}]'
    >>> with_interval(0.97, 0.9652, 0.9741, "percent")
    '\\qty{97}{\\percent} [\\num{96.5}, \\num{97.4}]'
    >>> with_interval(0.5, -math.inf, 1, "number")
    '\\num{0.5} [$-\\infty$, \\num{1}]'
    """
    estimated = macro(effect, form).latex
    if low == high or math.isnan(low) or math.isnan(high):
        return estimated
    ends = [_without_unit(value, form) for value in (low, high)]
    if ends[0] == ends[1]:
        ends = [rf"\num{{{_UNITS.get(form, 1) * value:.3g}}}" for value in (low, high)]
    return f"{estimated} [{', '.join(ends)}]"


def _without_unit(value: float, form: str) -> str:
    if math.isinf(value):
        return r"$\infty$" if value > 0 else r"$-\infty$"
    return (
        re.sub(r"\\qty(\{[^}]*\})\{[^}]*\}", r"\\num\1", macro(value, form).latex)
        .removesuffix("s")
        .removesuffix(" point")
    )


def words(text: str) -> Macro:
    """Print plain text as LaTeX."""
    return Macro(text, formatting.escape(text))
