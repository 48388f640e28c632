"""The origin of a table: configuration, code, data and libraries, from which its numbers follow. Every table carries it in its own file.

Two tables that agree in it have the same numbers, up to rounding on another processor or with other threads. Commit, machine and time,
on which no number depends, are kept beside a study's tables by :mod:`~dying_relu.results.provenance`.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dying_relu.errors import DyingReluError
from dying_relu.plan.shard import Shard
from dying_relu.plan.study import Study
from dying_relu.results.code_digest import code_digest

if TYPE_CHECKING:
    from dying_relu.data import Dataset

Origin = dict[str, Any]
"""``configuration``: fingerprint; ``code``: digest; ``data``: data set -> SHA-256 sum; ``libraries``: name -> version."""

PARTS = {"configuration": str, "code": str, "data": dict, "libraries": dict}

LIBRARIES = ("torch", "numpy", "numba", "scipy", "pandas", "pyarrow")
"""Whose versions can change a number in a table."""

UNKNOWN = "unknown"


def of_shard(shard: Shard, data: "Dataset") -> Origin:
    """The origin of a shard's tables.

    Args:
        shard: what is trained.
        data: its data set.
    """
    return {
        "configuration": shard.fingerprint,
        "code": code_digest("dying_relu.training.shard_job"),
        "data": {data.name: data.checksum},
        "libraries": versions(*LIBRARIES),
    }


def of_simulation(module: str) -> Origin:
    """The origin of a table that a module, given by its full name, computes without configuration or data."""
    return {
        "configuration": "none",
        "code": code_digest(module),
        "data": {},
        "libraries": versions(*LIBRARIES),
    }


def of_study(study: Study, shards: Mapping[str, Origin]) -> Origin:
    """The origin of a table that is put together from those of all shards.

    Args:
        study: what was planned.
        shards: name -> origin of the shard's table.

    Raises:
        DyingReluError: the configuration of a shard is not the study's, or shards differ in code, data or libraries.
    """
    stale = [shard.name for shard in study.shards if shards[shard.name]["configuration"] != shard.fingerprint]
    if stale:
        raise DyingReluError(
            f"study {study.name} has shards that were trained with another configuration",
            found=_some(stale),
            remedy="delete their folders and run snakemake again",
        )
    first: Origin = {"data": {}}
    for part in ("code", "libraries"):
        _require_one(study, part, {name: origin[part] for name, origin in shards.items()})
        first[part] = next(iter(shards.values()))[part]
    for dataset in study.datasets:
        sums = {name: origin["data"][dataset] for name, origin in shards.items() if dataset in origin["data"]}
        _require_one(study, f"data of {dataset}", sums)
        first["data"][dataset] = next(iter(sums.values()))
    return {"configuration": study.fingerprint, **first}


def of_verdicts(study: Origin) -> Origin:
    """The origin of the verdicts on the tables of a study that has the origin ``study``."""
    return study | {"code": code_digest("dying_relu.analysis.claims")}


def parsed(text: bytes) -> Origin:
    """Read an origin that was written as JSON.

    Raises:
        ValueError: the text is not one.
    """
    try:
        origin = json.loads(text)
    except RecursionError as error:
        raise ValueError("what it says of its numbers is not to be understood") from error
    kinds = {part: type(value) for part, value in origin.items()} if isinstance(origin, dict) else {}
    if kinds != PARTS:
        raise ValueError("it does not say what its numbers follow from")
    return origin


def require_same(path: Path, origin: Origin, expected: Origin) -> None:
    """Check that a table is of the origin that is expected.

    Args:
        path: of the table, for the message.
        origin: of the table.
        expected: of the tables with which it belongs.

    Raises:
        DyingReluError: it is not; the message names the parts that differ.
    """
    if differing := [part for part in expected if origin[part] != expected[part]]:
        raise DyingReluError(
            f"{path} was not made with the other tables of its study, or not for this configuration: "
            f"its {' and '.join(differing)} differ",
            found="; ".join(_written(origin[part]) for part in differing),
            expected="; ".join(_written(expected[part]) for part in differing),
            remedy="delete it and run the study again",
        )


def versions(*libraries: str) -> dict[str, str]:
    """The installed versions of libraries, by name."""
    installed = {}
    for library in libraries:
        try:
            installed[library] = version(library)
        except PackageNotFoundError:
            installed[library] = UNKNOWN
    return installed


def described(origin: Origin) -> dict[str, str]:
    """Write an origin for people, a line each part.

    >>> described({"configuration": "c0ffee", "data": {"mnist": "5eed"}})
    {'configuration': 'c0ffee', 'data': 'mnist 5eed'}
    """
    return {part: _written(value) or "none" for part, value in origin.items()}


def _require_one(study: Study, part: str, values: Mapping[str, object]) -> None:
    """Raise an error that tells the sides apart unless all shards have the same ``part``."""
    sides = defaultdict(list)
    for shard, value in values.items():
        sides[_written(value)].append(shard)
    if len(sides) > 1:
        raise DyingReluError(
            f"the shards of study {study.name} cannot be put together: they differ in their {part}",
            found="; ".join(f"{value} in {_some(names)}" for value, names in sides.items()),
            remedy="delete the folders of those that are out of date and run snakemake again",
        )


def _written(value: object) -> str:
    """Write a part of an origin as in a message.

    >>> _written({"torch": "2.13.0", "numpy": "2.4.6"})
    'torch 2.13.0, numpy 2.4.6'
    """
    return (
        ", ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else str(value)
    )


def _some(names: list[str]) -> str:
    """The first three of ``names``, and how many more.

    >>> _some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
