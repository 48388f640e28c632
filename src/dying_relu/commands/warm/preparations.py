"""The commands that run in forks of the warm process, and what it does once, before the first fork of a kind."""

from collections.abc import Callable
from importlib import import_module


def train() -> None:
    """Import what trains, and rehearse, which loads the compiled loops."""
    from dying_relu.stack import allocator
    from dying_relu.training import rehearsal, shard_job  # noqa: F401

    # Before the first tensor is made.
    allocator.keep_freed_memory()
    rehearsal.rehearse()


def _imported(module: str) -> Callable[[], object]:
    return lambda: import_module(f"dying_relu.{module}")


PREPARATIONS: dict[str, Callable[[], object]] = {
    "train": train,
    "claims": _imported("analysis.claims"),
    "verdicts": _imported("analysis.explorer"),
    "explorer": _imported("analysis.explorer"),
    "figure": _imported("analysis.study_results"),
    "tables": _imported("analysis.study_results"),
    "numbers": _imported("analysis.study_results"),
    "typeset": _imported("paper.typeset"),
}
"""By command. Not those whose memory Snakemake measures, nor those that read the history of the code, fetch or print.

matplotlib is left to the forks: where it has no folder for its settings it makes one, which the first fork to end would delete.
"""
