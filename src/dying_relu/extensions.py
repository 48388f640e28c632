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
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
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
    """List the modules that ``DYING_RELU_EXTENSIONS`` names, each once and in its order, and make them importable."""
    listed = tuple(dict.fromkeys(filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(",")))))
    if listed:
        _look_in_current_folder()
    return listed


def _look_in_current_folder() -> None:
    # Last, so that a file in it cannot take the place of a module that others import.
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)


def load() -> None:
    """Import the modules that ``DYING_RELU_EXTENSIONS`` lists, each once in the life of the process.

    They are looked for on ``sys.path`` and then in the current folder.

    Raises:
        DyingReluError: a module cannot be imported, or another has its name.
    """
    for name in names():
        imported(name)


def imported(name: str) -> ModuleType:
    """Import one of the modules that :func:`names` lists.

    Args:
        name: of the module.

    Raises:
        DyingReluError: it cannot be imported, or another module has its name.
    """
    try:
        module = import_module(name)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DyingReluError(
            f"cannot import the extension {name}, which {VARIABLE} lists",
            found=reason,
            expected="a module on sys.path or in the current folder",
            remedy=f"correct the module, or unset {VARIABLE}",
        ) from error
    file_of(name)
    return module


def file_of(name: str) -> Path:
    """Find the file of one of the modules that :func:`names` lists, without importing it.

    Args:
        name: of the module.

    Raises:
        DyingReluError: there is none, or another module has its name.
    """
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):  # There is no package around it, or it is the program itself.
        spec = None
    found = Path(spec.origin) if spec and spec.origin and spec.has_location else None
    here = _in_current_folder(name)
    if here and spec and not (found and here.samefile(found)):
        raise DyingReluError(
            f"the extension {name} has the name of another module",
            found=str(found or "a module that is built into Python"),
            expected=str(here),
            remedy=f"rename the file, and its name in {VARIABLE}",
        )
    if found is None or found.suffix != ".py":
        raise DyingReluError(
            f"no extension {name}",
            expected="a file of Python on sys.path or in the current folder",
            remedy=f"put its folder on PYTHONPATH, or take it out of {VARIABLE}",
        )
    return found


def _in_current_folder(name: str) -> Path | None:
    base = Path.cwd().joinpath(*name.split("."))
    return next((file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()), None)


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
