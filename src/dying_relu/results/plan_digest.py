"""The digest of the study's plan and of the rules that carry it out; the record has it, so that a later change cannot go unseen."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from dying_relu.results.code_digest import SOURCE

PLAN = "paper/plan.md"
RULES = (
    "src/dying_relu/analysis/claims",
    "src/dying_relu/analysis/findings",
    "src/dying_relu/analysis/inference",
    "src/dying_relu/analysis/outcomes.py",
    "src/dying_relu/analysis/thresholds.py",
)
"""Files and folders, from the project's folder, that turn tables into verdicts."""


def belongs(path: str) -> bool:
    """Tell whether a file, by its path from the project's folder, is the plan or one of the rules.

    >>> belongs("paper/plan.md"), belongs("src/dying_relu/analysis/findings/f2_law.py"), belongs("README.md")
    (True, True, False)
    """
    return path == PLAN or (
        path.endswith(".py") and any(path == rule or path.startswith(f"{rule}/") for rule in RULES)
    )


def files(project: Path = SOURCE.parent) -> dict[str, bytes]:
    """Read the plan and the rules.

    Args:
        project: its folder.

    Returns:
        Path from the folder -> content; empty where there is no plan, as in an installed package.
    """
    if not (project / PLAN).is_file():
        return {}
    found = [project / PLAN]
    for rule in RULES:
        path = project / rule
        found += [path] if path.is_file() else path.rglob("*.py")
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in found}


def digest(contents: Mapping[str, bytes]) -> str:
    """SHA-256 over paths and contents, whatever their order.

    Args:
        contents: path -> content.

    >>> digest({"b": b"2", "a": b"1"}) == digest({"a": b"1", "b": b"2"})
    True
    """
    total = hashlib.sha256()
    for path in sorted(contents):
        total.update(f"{path} {hashlib.sha256(contents[path]).hexdigest()}\n".encode())
    return total.hexdigest()


def of_project() -> str | None:
    """The digest of plan and rules as they are; None where there is no plan."""
    present = files()
    return digest(present) if present else None
