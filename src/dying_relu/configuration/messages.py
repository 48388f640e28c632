"""The problems of a configuration, in words that fit a terminal whatever was found."""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dying_relu.errors import DyingReluError

MAX_PROBLEMS_SHOWN = 10
MAX_NAMES_SHOWN = 20
MAX_CHARACTERS_SHOWN = 60


class Problem(NamedTuple):
    """One thing that is wrong with a configuration.

    Attributes:
        key: its path, such as ``experiments.causes.grid``.
        found: what stands there.
        expected: what may stand there.
        remedy: what to do, if that is known.
    """

    key: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        sentence = f"{self.key}: found {self.found}; expected {self.expected}"
        return f"{sentence}; {self.remedy}" if self.remedy else sentence


def first_of(problems: Iterable[Problem]) -> list[Problem]:
    """Take as many different problems as :func:`as_error` shows; nobody looks for the rest, of which there may be a million."""
    first: dict[Problem, None] = {}
    for problem in problems:
        first[problem] = None
        if len(first) > MAX_PROBLEMS_SHOWN:
            break
    return list(first)


def as_error(name: str, problems: Sequence[Problem]) -> DyingReluError:
    """Make one message of several problems.

    Args:
        name: of the configuration.
        problems: from :func:`first_of`.
    """
    if len(problems) == 1:
        return DyingReluError(f"{name}: {problems[0]}")
    shown_ones = problems[:MAX_PROBLEMS_SHOWN]
    number = len(shown_ones)
    count = f"{number} problems" if number == len(problems) else f"more than {number} problems, among them"
    return DyingReluError("\n".join([f"{name}: {count}", *(f"  {problem}" for problem in shown_ones)]))


def joined(key: str, part: int | str) -> str:
    """Join ``key`` and the key or index ``part`` inside it.

    >>> joined("grid.learning_rate", 0), joined("grid", "activation"), joined("", "study")
    ('grid.learning_rate[0]', 'grid.activation', 'study')
    """
    if isinstance(part, int):
        return f"{key}[{part}]"
    name = part if part.isprintable() and len(part) <= MAX_CHARACTERS_SHOWN else shown(part)
    return f"{key}.{name}" if key and key != "the file" else name


def shown(value: object) -> str:
    """Write ``value`` as it would stand in Python, or the beginning of that if it is long."""
    text = repr(value)
    return text if len(text) <= MAX_CHARACTERS_SHOWN else f"{text[: MAX_CHARACTERS_SHOWN - 3]}..."


def listed(names: Sequence[str]) -> str:
    """List ``names`` to choose from, or the first of them."""
    return ", ".join([*names[:MAX_NAMES_SHOWN], *(["..."] if len(names) > MAX_NAMES_SHOWN else [])])


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Ask for the one of ``known`` that is spelt much like ``word``, if there is one; else nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
