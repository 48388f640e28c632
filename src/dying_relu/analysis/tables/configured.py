"""Keys and values of a configuration as LaTeX."""

from dying_relu.analysis import latex
from dying_relu.configuration import Activation


def level(value: object) -> str:
    """A level of a factor, or a value of a key, as LaTeX."""
    if isinstance(value, Activation):
        slope = "" if value.slope is None else f" {latex.number(value.slope)}"
        return latex.escape(latex.name(value.name)) + slope
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return latex.number(value)
    if isinstance(value, tuple):
        return ", ".join(map(level, value))
    return latex.escape(latex.name(str(value)))


def spaced(key: str) -> str:
    """A key in words."""
    return key.replace("_", " ")
