"""The modules that make a claim, a finding, a figure, a table or a group of numbers, found by what they define.

A module of the room's package is one if it defines the room's function; so is an extension (:mod:`dying_relu.extensions`) that does. Its
name is the last part of the module's. Nothing else has to be told: the commands and the workflow's rules look here. To look is cheap:
files are read, and nothing is imported before :meth:`Room.load`.
"""

import ast
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from dying_relu import extensions
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.results.code_digest import code_digest

HERE = Path(__file__).parent

STUDY_TABLES = ("runs", "checkpoints", "layers", "units", "activity", "validation", "born_dead")
"""Names of the tables that a figure may take: those of :mod:`dying_relu.results.schemas`, which takes a second to import."""


class Declaration(NamedTuple):
    """The declarations of a module, as far as they can be read without importing it.

    Attributes:
        constants: the literals of its top level, by name, and its docstring as ``__doc__``.
        functions: the functions that its top level defines, each with the names of its decorators.
    """

    constants: Mapping[str, Any]
    functions: Mapping[str, frozenset[str]]


class Room:
    """A package each of whose modules that defines a certain function is an entry.

    Args:
        package: inside ``dying_relu.analysis``.
        function: the name of the function that makes a module an entry; with an @, that of a decorator.
        check: raises an error unless a module, by its name and what it says of itself, has what else an entry needs.
    """

    def __init__(
        self, package: str, function: str, check: Callable[[str, Declaration], None] | None = None
    ) -> None:
        self.package = f"{__package__}.{package}"
        self._folder = HERE / package
        self._function = function
        self._check = check

    def names(self) -> dict[str, str]:
        """The module of each entry, by the entry's name: those of the package by name, then those of extensions.

        Raises:
            DyingReluError: two entries have one name, or an entry lacks what it needs.
        """
        paths = sorted(self._folder.glob("*.py"))
        modules = {path.stem: f"{self.package}.{path.stem}" for path in paths if self._is_entry(path)}
        for module in extensions.names():
            if self._is_entry(_file(module)):
                self._add(modules, module)
        if self._check:
            for module in modules.values():
                self._check(module, declared(_file(module)))
        return modules

    def _add(self, modules: dict[str, str], module: str) -> None:
        name = module.rpartition(".")[2]
        if name in modules:
            raise DyingReluError(
                f"there are two entries for the {self._kind} {name!r}",
                found=f"the modules {modules[name]} and {module}",
                remedy=f"rename the file of {module}, and its name in {extensions.VARIABLE}",
            )
        modules[name] = module

    @property
    def _kind(self) -> str:
        return self.package.rpartition(".")[2].removesuffix("s")

    def _is_entry(self, path: Path) -> bool:
        functions = declared(path).functions
        if self._function.startswith("@"):
            return any(self._function[1:] in decorators for decorators in functions.values())
        return self._function in functions

    def module(self, name: str) -> str:
        """The module of an entry.

        Raises:
            DyingReluError: there is no such entry, or as :meth:`names`.
        """
        names = self.names()
        if name not in names:
            raise DyingReluError(
                f"unknown {self._kind}", found=repr(name), expected=f"one of {', '.join(names)}"
            )
        return names[name]

    def constant(self, name: str, constant: str) -> Any:
        """A literal that an entry's module holds, such as the caption of a figure; None if it holds none."""
        return declared(_file(self.module(name))).constants.get(constant)

    def load(self, name: str) -> ModuleType:
        """Import an entry's module."""
        # By its name, so that editing one entry's code does not change the digest of the others.
        module = self.module(name)
        return import_module(module) if _is_ours(module) else extensions.imported(module)

    def digest(self, *names: str) -> str:
        """The digest of the code of some entries; of none, that of the whole package and of all extensions to it."""
        modules = [self.module(name) for name in names or self.names()]
        own = [module for module in modules if _is_ours(module)] if names else [self.package]
        added = [_file(module).read_bytes() for module in modules if not _is_ours(module)]
        code = code_digest(*own) if own else ""
        return hashlib.sha256(b"".join([code.encode(), *added])).hexdigest()[:16] if added else code


def rules_digest() -> str:
    """The digest of the code of all claims and findings."""
    return hashlib.sha256(f"{CLAIMS.digest()} {FINDINGS.digest()}".encode()).hexdigest()[:16]


def write_captions(folder: Path) -> dict[str, Path]:
    """Write the caption of every figure to a file of its own in ``folder``, unless it is there; name -> file, as an absolute path."""
    paths = {name: folder.resolve() / f"{name}.rst" for name in FIGURES.names()}
    for name, path in paths.items():
        caption = FIGURES.constant(name, "CAPTION") + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != caption:
            with atomic_path(path) as scratch:
                scratch.write_text(caption, encoding="utf-8")
    return paths


def declared(path: Path) -> Declaration:
    """Read the declarations of the module in the file ``path``."""
    return _declared(path, path.stat().st_mtime_ns)


@cache
def _declared(path: Path, modified: int) -> Declaration:
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise DyingReluError(
            f"{path} is not valid Python", found=f"{error.msg} in line {error.lineno}", remedy="correct it"
        ) from error
    constants: dict[str, Any] = {"__doc__": ast.get_docstring(tree)}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) and node.value:
            with suppress(ValueError):
                constants[target.id] = ast.literal_eval(node.value)
    return Declaration(
        constants,
        {
            node.name: frozenset(_decorator(decorator) for decorator in node.decorator_list)
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
        },
    )


def _decorator(node: ast.expr) -> str:
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


def _file(module: str) -> Path:
    """The file of a module, without importing any package of ours."""
    if _is_ours(module):
        return HERE.joinpath(*module.split(".")[2:]).with_suffix(".py")
    return extensions.file_of(module)


def _check_figure(module: str, declaration: Declaration) -> None:
    """Raise an error unless a figure's module says its caption and its tables."""
    caption, tables = (declaration.constants.get(name) for name in ("CAPTION", "TABLES"))
    if not (isinstance(caption, str) and caption):
        raise DyingReluError(
            f"the figure in the module {module} has no caption",
            expected='a literal such as CAPTION = "The loss by learning rate."',
            remedy="add one beside its function figure",
        )
    if not (isinstance(tables, tuple | list) and tables and all(table in STUDY_TABLES for table in tables)):
        raise DyingReluError(
            f"the figure in the module {module} does not say which tables it takes",
            found="no literal TABLES" if tables is None else f"TABLES = {tables!r}",
            expected=f'some of {", ".join(STUDY_TABLES)}, as in TABLES = ("runs",)',
            remedy="correct TABLES beside its function figure",
        )


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "dying_relu"


CLAIMS = Room("claims", "@claim")
"""Functions that are decorated with :data:`dying_relu.analysis.claims.verdict.claim`."""
FINDINGS = Room("findings", "@finding")
"""Functions that are decorated with :data:`dying_relu.analysis.claims.verdict.finding`."""
FIGURES = Room("figures", "figure", _check_figure)
"""``figure(**tables)``, with ``CAPTION`` and ``TABLES``; see :mod:`dying_relu.analysis.figures`."""
TABLES = Room("tables", "table")
"""``table(study)``; see :mod:`dying_relu.analysis.tables`."""
NUMBERS = Room("numbers", "numbers")
"""``numbers(study)``; see :mod:`dying_relu.analysis.numbers`."""
