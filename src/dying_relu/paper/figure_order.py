"""The order in which the paper shows its figures, read from its source."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path


def labels(main: Path, names: Iterable[str]) -> dict[str, str]:
    """Label figures so that they sort as the paper shows them; figures that it does not show follow.

    Args:
        main: the paper's ``main.tex``.
        names: of the figures to label.

    Returns:
        The label of each figure by its name, such as "02 phase diagram".
    """
    names = list(names)
    shown = [name for name in dict.fromkeys(_shown(main, main.parent)) if name in names]
    ordered = [*shown, *(name for name in names if name not in shown)]
    digits = len(str(len(ordered)))
    return {
        name: f"{place:0{digits}} {name.replace('_', ' ')}" for place, name in enumerate(ordered, start=1)
    }


def _shown(path: Path, folder: Path) -> Iterator[str]:
    r"""The names in ``\studyfigure`` in the order of reading, with the files that are ``\input`` in between."""
    if not path.is_file():
        return
    text = re.sub(r"(?<!\\)%.*", "", path.read_text(encoding="utf-8"))
    for command, argument in re.findall(r"\\(studyfigure|input)\{([\w./-]+)\}", text):
        if command == "studyfigure":
            yield argument
        else:
            yield from _shown((folder / argument).with_suffix(".tex"), folder)
