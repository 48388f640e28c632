"""Numbers, words and names as LaTeX: what the macros and the tables of the paper are made of."""

import math
import re
from collections.abc import Iterable

from dying_relu import extensions
from dying_relu.configuration.datasets import IMAGE_SETS
from dying_relu.stack.activations import ACTIVATIONS

NOT_MEASURED = r"\unmeasured{}"
"""What the paper prints for a number that the study does not have."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
_WORDS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
]
_OTHERS = {
    "mlp": "MLP",
    "cnn": "CNN",
    "sgd": "SGD",
    "adam": "Adam",
    "he": "He",
    "rai": "RAI",
    "lecun": "LeCun",
    "lsuv": "LSUV",
}
_ALSO_WORDS = ("he",)
"""Keys that are words of their own in a sentence."""


def escape(text: str) -> str:
    r"""Plain text as LaTeX.

    >>> print(escape("leaky_relu: 5 %"))
    leaky\_relu: 5 \%
    """
    text = "".join(_SPECIAL.get(character, character) for character in text)
    return text.replace("--", "-{}-")


def name(key: str) -> str:
    """A factor's level as readers know it.

    >>> name("cifar10"), name("my_net"), name("sgd_weight_decay")
    ('CIFAR-10', 'my net', 'SGD weight decay')
    """
    first, _, remedy = key.partition("_")
    # What follows the first underscore of an architecture or an optimiser is a remedy.
    words = _label(key) or f"{_OTHERS.get(first, first)} {remedy}"
    return words.replace("_", " ").rstrip()


def _label(key: str) -> str | None:
    """The name that the entry of a data set or an activation gives itself, or the usual one of another level."""
    extensions.load()
    if key in IMAGE_SETS:
        return IMAGE_SETS[key].label
    return ACTIVATIONS[key].label if key in ACTIVATIONS else _OTHERS.get(key)


def activation_name(activation: str, slope: float) -> str:
    """Name an activation, with its slope where the slope is a choice.

    Args:
        activation: its name in the configuration.
        slope: left of zero.

    >>> activation_name("leaky_relu", 0.01), activation_name("relu", 0.0), activation_name("prelu", 0.25)
    ('leaky ReLU 0.01', 'ReLU', 'PReLU')
    """
    return f"{name(activation)} {slope:g}" if activation == "leaky_relu" else name(activation)


def named(sentence: str) -> str:
    """A sentence with the levels in it as readers know them.

    >>> named("holds in mnist mlp sgd, first layer")
    'holds in MNIST MLP SGD, first layer'
    >>> named("he shows it with sgd_weight_decay")
    'he shows it with SGD weight decay'
    """
    return re.sub(r"\w+", lambda match: _in_a_sentence(match[0]), sentence)


def _in_a_sentence(word: str) -> str:
    first, _, remedy = word.partition("_")
    is_level = _label(word) or (remedy and first in _OTHERS)
    return name(word) if is_level and word not in _ALSO_WORDS else word


def with_minus_signs(latex: str) -> str:
    """Before a number that begins a word, a hyphen is a minus sign.

    >>> with_minus_signs("bias -4, at 0.1-dormant")
    'bias $-$4, at 0.1-dormant'
    """
    return re.sub(r"(?<!\S)-(?=\d)", "$-$", latex)


def listed(names: Iterable[str]) -> str:
    """Names joined as in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def word(count: int) -> str:
    r"""A count as a word where it is small.

    >>> word(3), word(108)
    ('three', '\\num{108}')
    """
    return _WORDS[count] if 0 <= count < len(_WORDS) else number(count)


def number(value: float) -> str:
    r"""A number at three significant digits; whole numbers in full.

    >>> number(0.012345), number(12345)
    ('\\num{0.0123}', '\\num{12345}')
    """
    if math.isnan(value):
        return NOT_MEASURED
    return rf"\num{{{value:.0f}}}" if float(value).is_integer() else rf"\num{{{value:.3g}}}"


def percent(share: float) -> str:
    r"""A share as a percentage; the last digit is one that a few hundred networks can tell.

    >>> percent(0.4321), percent(0.0123), percent(0.0001), percent(1)
    ('\\qty{43}{\\percent}', '\\qty{1.2}{\\percent}', '\\qty{<0.1}{\\percent}', '\\qty{100}{\\percent}')
    """
    return NOT_MEASURED if math.isnan(share) else rf"\qty{{{_hundredfold(share)}}}{{\percent}}"


def minutes(seconds: float) -> str:
    r"""A time in minutes; the last digit is one that another day would change.

    >>> minutes(2050), minutes(87.5)
    ('\\qty{34}{\\minute}', '\\qty{1.5}{\\minute}')
    """
    value = seconds / 60
    return rf"\qty{{{value:.0f}}}{{\minute}}" if value >= 10 else rf"\qty{{{value:.1f}}}{{\minute}}"


def points(difference: float) -> str:
    r"""A difference of two shares in percentage points.

    >>> points(-0.123)
    '\\num{-12} points'
    """
    if math.isnan(difference):
        return NOT_MEASURED
    value = _hundredfold(difference)
    return rf"\num{{{value}}} {'point' if value in ('1', '-1') else 'points'}"


def hundredths(estimate: float, low: float, high: float) -> str:
    r"""Print a share, or a difference of shares, in per cent with its interval, for a column of them: without a unit.

    Args:
        estimate: the share.
        low: lower end of its interval.
        high: upper end.

    >>> hundredths(0.432, 0.31, 0.5), hundredths(-0.2, -0.2, -0.2)
    ('\\num{43} [\\num{31}, \\num{50}]', '\\num{-20}')
    """
    if math.isnan(estimate):
        return NOT_MEASURED
    value, *ends = (
        "" if math.isnan(number) else rf"\num{{{_hundredfold(number)}}}" for number in (estimate, low, high)
    )
    return value if low == high or math.isnan(low) else f"{value} [{', '.join(ends)}]"


def _hundredfold(share: float) -> str:
    value = 100 * share
    if 0 < abs(value) < 0.05:
        return "<0.1" if value > 0 else "0.0"
    whole = float(f"{value:.1f}").is_integer() or 10 <= abs(value) <= 99
    return f"{value:.0f}" if whole else f"{value:.1f}"


def span(values: Iterable[float]) -> str:
    r"""The range of some numbers, or the number that they all are.

    >>> span([3, 5, 3]), span([3])
    ('\\num{3} to \\num{5}', '\\num{3}')
    """
    ordered = sorted(set(values))
    if not ordered:
        return NOT_MEASURED
    return number(ordered[0]) if len(ordered) == 1 else f"{number(ordered[0])} to {number(ordered[-1])}"
