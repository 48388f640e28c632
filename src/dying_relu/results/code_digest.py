"""The digest of a module's code, which changes when its results may change, not when a comment does.

Snakemake does not see edits to a package that its rules call, so each rule hands the digest of its code to Snakemake as a
parameter. The digest covers the module and everything of ours that it imports, directly or not, also inside
functions. ``from package import name`` counts as an import of the module that defines ``name``, not of everything that
the package's ``__init__`` imports.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2]
PACKAGES = {"dying_relu": ".", "benchmarks": ".."}
"""What is ours, and where from ``SOURCE`` it is."""

REACHES_JOBS_AS_VALUES = frozenset(
    {
        "dying_relu.configuration",
        "dying_relu.plan.shard",
        "dying_relu.plan.study",
        "dying_relu.plan.cost",
        "dying_relu.errors",
    }
)
"""Left out, with the modules inside them: what planning decides reaches a job in its shard, whose fingerprint is a parameter
of its own. A better error message need not train everything again."""

RUN_BY_JOBS = frozenset({"dying_relu.configuration.architectures", "dying_relu.configuration.optimisers"})
"""Not left out although they are inside: they build what is trained."""


def code_digest(*modules: str) -> str:
    """SHA-256 over the syntax trees, without docstrings, of modules and all of ours that they import.

    Args:
        modules: names such as ``"dying_relu.training.shard_job"``; a package stands for all the modules inside it.

    Raises:
        ValueError: a name is not of a module of ours.
    """
    digest = hashlib.sha256()
    for module in sorted(import_closure(*modules)):
        digest.update(f"{module}\n{_meaning(module)}\n".encode())
    return digest.hexdigest()[:16]


def import_closure(*modules: str) -> frozenset[str]:
    """The given modules and those of ours that they import, directly or not."""
    closure: set[str] = set()
    waiting = [inside for module in modules for inside in _inside(module)]
    while waiting:
        module = waiting.pop()
        if module not in closure and not _is_left_out(module):
            closure.add(module)
            waiting.extend(_imports(module))
    return frozenset(closure)


def _is_left_out(module: str) -> bool:
    return module not in RUN_BY_JOBS and any(
        module == other or module.startswith(f"{other}.") for other in REACHES_JOBS_AS_VALUES
    )


def _path(module: str) -> Path | None:
    """The file of a module or package of ours; None for everything else."""
    place = PACKAGES.get(module.split(".")[0])
    if place is None:
        return None
    return _file(SOURCE / place, module)


def _file(folder: Path, module: str) -> Path | None:
    """The file in ``folder`` of a module or package by its full name."""
    base = folder.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _inside(module: str) -> list[str]:
    path = _path(module)
    if path is None:
        raise ValueError(f"{module} is not a module of {' or '.join(PACKAGES)}")
    if path.name != "__init__.py":
        return [module]
    names = (
        inner.relative_to(path.parent).with_suffix("").parts for inner in sorted(path.parent.rglob("*.py"))
    )
    return [".".join((module, *(part for part in parts if part != "__init__"))) for parts in names]


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    assert path is not None
    return _parsed(path)


def _parsed(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    _WithoutDocstrings().visit(tree)
    return tree


@cache
def _meaning(module: str) -> str:
    return _written(_tree(module))


def _written(node: object) -> str:
    """A syntax tree as text, without positions and without what is empty: each version of Python adds empty fields of its own.

    >>> _written(ast.parse("x = f()"))
    "Module(body=[Assign(targets=[Name(id='x',ctx=Store())],value=Call(func=Name(id='f',ctx=Load())))])"
    """
    if isinstance(node, list):
        return f"[{','.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    # A constant may be None, and says so.
    is_none = isinstance(node, ast.Constant) and node.value is None
    return f"{type(node).__name__}({'None' if is_none else ','.join(f'{name}={_written(value)}' for name, value in fields)})"


class _WithoutDocstrings(ast.NodeTransformer):
    """Removes docstrings and other strings that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(_imported(module))


def _imported(module: str) -> Iterator[str]:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _path(alias.name))
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, module)
            yield from (origin for alias in node.names if (origin := _origin(source, alias.name)))


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The full name of what ``node``, which stands in ``module``, imports from."""
    if node.level == 0:
        return node.module or ""
    path = _path(module)
    parts = module.split(".") if path and path.name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _origin(source: str, name: str) -> str | None:
    """The module of ours in which ``name`` of ``from source import name`` is defined; None if it is not ours."""
    if _path(source) is None:
        return None
    if name != "*" and _path(f"{source}.{name}"):
        return f"{source}.{name}"
    for node in _tree(source).body:
        if isinstance(node, ast.ImportFrom) and any(
            (alias.asname or alias.name) == name for alias in node.names
        ):
            original = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
            return _origin(_absolute(node, source), original) or source
    return source
