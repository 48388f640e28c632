"""The digest of a module's code, which changes when its results may change, not when a comment does.

Snakemake does not see edits to a package that its rules call, so each rule hands the digest of its code to Snakemake as a
parameter. The digest covers the module and everything of ours that it imports, directly or not, also inside
functions. ``from package import name`` counts as an import of the module that defines ``name``, not of everything that
the package's ``__init__`` imports.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dying_relu.results import source_summary
from dying_relu.results.source_summary import Import, Summary

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
        digest.update(f"{module} {_summary(module).meaning}\n".encode())
    source_summary.remember()
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


@cache
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
def _summary(module: str) -> Summary:
    path = _path(module)
    assert path is not None
    return source_summary.summary(path)


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(_imported(module))


def _imported(module: str) -> Iterator[str]:
    for statement in _summary(module).imports:
        if statement.level < 0:
            yield from (name for name in (statement.source,) if _path(name))
        else:
            source = _absolute(statement, module)
            yield from (origin for name in statement.names if (origin := _origin(source, name)))


def _absolute(statement: Import, module: str) -> str:
    """The full name of what ``statement``, which stands in ``module``, imports from."""
    if statement.level == 0:
        return statement.source
    path = _path(module)
    parts = module.split(".") if path and path.name == "__init__.py" else module.split(".")[:-1]
    above = parts[: len(parts) - statement.level + 1]
    return ".".join([*above, *([statement.source] if statement.source else [])])


def _origin(source: str, name: str) -> str | None:
    """The module of ours in which ``name`` of ``from source import name`` is defined; None if it is not ours."""
    if _path(source) is None:
        return None
    if name != "*" and _path(f"{source}.{name}"):
        return f"{source}.{name}"
    if name in (origins := _summary(source).origins):
        statement, original = origins[name]
        return _origin(_absolute(statement, source), original) or source
    return source
