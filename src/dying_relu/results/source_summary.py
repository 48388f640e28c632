"""The summary of a source file: a digest of what it does, and what it imports; remembered from one process to the next.

To parse all files of the project takes longer than to plan a study, and Snakemake asks for their digests whenever it starts. Summaries are
kept in a ``__pycache__`` folder, as Python keeps what it compiles, by the SHA-256 sum of the file's content: an edited file has another.
"""

import ast
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

REMEMBERED = Path(__file__).parent / "__pycache__" / "source_summaries.json"
_new: set[str] = set()
"""Sums of the files that this process has summarised and not kept yet."""


class Import(NamedTuple):
    """An import statement.

    Attributes:
        source: the module after ``from`` (without its dots), or after ``import``.
        level: number of dots; -1 for ``import source``.
        names: what is imported from it; () for ``import source``.
    """

    source: str
    level: int
    names: tuple[str, ...]


class Summary(NamedTuple):
    """The meaning and the imports of a source file.

    Attributes:
        meaning: SHA-256 sum of its syntax tree without positions and docstrings.
        imports: all of its imports, also those inside functions.
        origins: name -> the import at the top level that gives it, and its name there.
    """

    meaning: str
    imports: tuple[Import, ...]
    origins: dict[str, tuple[Import, str]]


@cache
def summary(path: Path) -> Summary:
    """Summarise the Python file ``path``.

    Raises:
        SyntaxError: it is not valid Python.
    """
    content = path.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    known = _remembered().get(key)
    if known is not None:
        return _from_json(known)
    new = _summarised(content, path)
    _remembered()[key] = _as_json(new)
    _new.add(key)
    return new


def remember() -> None:
    """Keep the summaries made by this process for the next; where they cannot be kept, they are made again."""
    if not _new:
        return
    _new.clear()
    with suppress(OSError):
        REMEMBERED.parent.mkdir(exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=REMEMBERED.parent, prefix=f"{REMEMBERED.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": _version(), "summaries": _remembered()}, file)
        os.replace(scratch, REMEMBERED)


def forget() -> None:
    """Forget what this process has read, as if it had just started."""
    _new.clear()
    summary.cache_clear()
    _remembered.cache_clear()


@cache
def _remembered() -> dict[str, Any]:
    try:
        saved = json.loads(REMEMBERED.read_text(encoding="utf-8"))
        return dict(saved["summaries"]) if saved["version"] == _version() else {}
    # Whatever is in the file: it is only a memory.
    except (OSError, ValueError, LookupError, TypeError):
        return {}


@cache
def _version() -> str:
    """Summaries of another version of this module are of no use."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def _as_json(made: Summary) -> list[Any]:
    return [made.meaning, made.imports, made.origins]


def _from_json(saved: list[Any]) -> Summary:
    meaning, imports, origins = saved
    return Summary(
        meaning,
        tuple(_import(each) for each in imports),
        {name: (_import(each), original) for name, (each, original) in origins.items()},
    )


def _import(saved: list[Any]) -> Import:
    source, level, names = saved
    return Import(source, level, tuple(names))


def _summarised(content: bytes, path: Path) -> Summary:
    tree = ast.parse(content, filename=str(path))
    _WithoutDocstrings().visit(tree)
    meaning = hashlib.sha256(written(tree).encode()).hexdigest()
    origins = {
        alias.asname or alias.name: (_imported(node), alias.name)
        for node in reversed(tree.body)
        if isinstance(node, ast.ImportFrom)
        for alias in reversed(node.names)
    }
    return Summary(meaning, tuple(_imports(tree)), origins)


def _imports(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, -1, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _imported(node)


def _imported(node: ast.ImportFrom) -> Import:
    return Import(node.module or "", node.level, tuple(alias.name for alias in node.names))


def written(node: object) -> str:
    """Write a syntax tree as text, without positions and without what is empty: each version of Python adds empty fields of its own.

    >>> written(ast.parse("x = f()"))
    "Module(body=[Assign(targets=[Name(id='x',ctx=Store())],value=Call(func=Name(id='f',ctx=Load())))])"
    """
    if isinstance(node, list):
        return f"[{','.join(map(written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    # A constant may be None, and says so.
    is_none = isinstance(node, ast.Constant) and node.value is None
    return f"{type(node).__name__}({'None' if is_none else ','.join(f'{name}={written(value)}' for name, value in fields)})"


class _WithoutDocstrings(ast.NodeTransformer):
    """Removes docstrings and other strings that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)
