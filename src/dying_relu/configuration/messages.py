"""What is wrong with a configuration, in words that fit a terminal whatever was found."""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dying_relu.errors import DyingReluError

MAX_PROBLEMS_SHOWN = 10
MAX_NAMES_SHOWN = 20
MAX_CHARACTERS_SHOWN = 60


class Problem(NamedTuple):
    """One thing that is wrong with a configuration."""

    key: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        said = f"{self.key}: found {self.found}; expected {self.expected}"
        return f"{said}; {self.remedy}" if self.remedy else said


def first_of(problems: Iterable[Problem]) -> list[Problem]:
    """As many different ones as :func:`as_error` tells; nobody looks for the rest, of which there may be a million."""
    found: dict[Problem, None] = {}
    for problem in problems:
        found[problem] = None
        if len(found) > MAX_PROBLEMS_SHOWN:
            break
    return list(found)


def as_error(name: str, problems: Sequence[Problem]) -> DyingReluError:
    """One message about all of ``problems`` of the configuration called ``name``."""
    if len(problems) == 1:
        return DyingReluError(f"{name}: {problems[0]}")
    told = problems[:MAX_PROBLEMS_SHOWN]
    count = f"{len(told)} problems" if told == problems else f"more than {len(told)} problems, among them"
    return DyingReluError("\n".join([f"{name}: {count}", *(f"  {problem}" for problem in told)]))


def joined(key: str, part: int | str) -> str:
    """The key of ``part`` inside ``key``.

    >>> joined("grid.learning_rate", 0), joined("grid", "activation"), joined("", "study")
    ('grid.learning_rate[0]', 'grid.activation', 'study')
    """
    if isinstance(part, int):
        return f"{key}[{part}]"
    name = part if part.isprintable() and len(part) <= MAX_CHARACTERS_SHOWN else shown(part)
    return f"{key}.{name}" if key and key != "the file" else name


def shown(value: object) -> str:
    """What was found, as it would stand in Python; its beginning if it is long."""
    text = repr(value)
    return text if len(text) <= MAX_CHARACTERS_SHOWN else f"{text[: MAX_CHARACTERS_SHOWN - 3]}..."


def listed(names: Sequence[str]) -> str:
    """Names to choose from, or the first of them."""
    return ", ".join([*names[:MAX_NAMES_SHOWN], *(["..."] if len(names) > MAX_NAMES_SHOWN else [])])


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A question, if one of ``known`` is spelt much like ``word``; else nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
