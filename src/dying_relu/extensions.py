"""Registries of what a study can name, and the modules of other people that add to them.

A registry is a dictionary with one entry for each name. An extension is a module outside this package that adds entries of its own:
an activation, an architecture, a figure, ... The environment variable ``DYING_RELU_EXTENSIONS`` lists extensions, so that Snakemake, its
jobs, the command line and notebooks all see the same entries. ``docs/extend.md`` shows an example of each kind.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from dying_relu.errors import DyingReluError

VARIABLE = "DYING_RELU_EXTENSIONS"
"""Environment variable: names of modules, separated by commas."""

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """Entries by name, in the order in which they were added.

    Args:
        kind: noun phrase for messages, such as ``"activation"``.

    >>> colours = Registry[int]("colour")
    >>> colours.add("red", 0xFF0000) == colours["red"]
    True
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def add(self, name: str, entry: Entry) -> Entry:
        """Add ``entry`` under ``name`` and return it.

        Args:
            name: how studies refer to it.
            entry: what they get.

        Raises:
            DyingReluError: the name is taken by another entry.
        """
        if name in self:
            raise DyingReluError(f"there are two entries for the {self.kind} {name!r}", remedy="rename one")
        self[name] = entry
        return entry

    def named(self, name: str) -> Callable[[Entry], Entry]:
        """Add the function or class below under ``name``: a decorator.

        Args:
            name: how studies refer to it.

        Raises:
            DyingReluError: as :meth:`add`.
        """
        return lambda entry: self.add(name, entry)


def names() -> tuple[str, ...]:
    """List the modules that ``DYING_RELU_EXTENSIONS`` names, in its order."""
    return tuple(filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))))


def load() -> None:
    """Import the modules that ``DYING_RELU_EXTENSIONS`` lists, each once in the life of the process.

    They are looked for on ``sys.path`` and then in the current folder.

    Raises:
        DyingReluError: a module cannot be imported.
    """
    for name in names():
        if name not in sys.modules:
            _import(name)


def _import(name: str) -> None:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        import_module(name)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DyingReluError(
            f"cannot import the extension {name}, which {VARIABLE} lists",
            found=reason,
            expected="a module on sys.path or in the current folder",
            remedy=f"correct the module, or unset {VARIABLE}",
        ) from error


def digests(definitions: Iterable[Callable[..., object] | None]) -> list[str]:
    """Sum up the files of extensions in which any of some functions and classes is defined.

    Args:
        definitions: functions and classes; None counts as one of this package.

    Returns:
        SHA-256 sums in hexadecimal, sorted; none if all are of this package.
    """
    modules = {definition.__module__ for definition in definitions if definition is not None}
    foreign = (sys.modules.get(module) for module in modules if module.split(".")[0] != __package__)
    files = {file for module in foreign if (file := getattr(module, "__file__", None))}
    return sorted(hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files)
