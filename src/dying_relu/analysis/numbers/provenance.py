"""The origin of a study's numbers, as the paper prints it: commit, command, versions, hardware and cost."""

from dying_relu.analysis import latex
from dying_relu.analysis.numbers.macro import Macro, macro, words
from dying_relu.analysis.study_results import StudyResults
from dying_relu.results import plan_digest
from dying_relu.results import provenance as records

SHOWN = 16
"""Digits of a digest that are printed."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros that say how these numbers came about and how to make them again, from the study's own record."""
    record = study.record
    hardware = record["hardware"]
    training = record["training"] or {}
    return {
        "StudyCommit": words(record["commit"]),
        "StudyRecord": words(records.fingerprint(study.folder)[:SHOWN]),
        "StudyCommand": words(record["command"]),
        "StudyVersions": words(", ".join(" ".join(pair) for pair in record["versions"].items())),
        "HardwareCpu": words(hardware["cpu"]),
        "HardwareCores": macro(hardware["cores"], "number"),
        "HardwareMemory": _quantity(hardware["memory_bytes"], 2**30, r"\gibi\byte", 0),
        "TrainingJobs": macro(training.get("jobs"), "number"),
        "TrainingHours": _quantity(training.get("seconds"), 3600, r"\hour", 1),
        "PlanDigest": _digest(record.get("plan")),
        "PlanChanges": changes(record.get("plan"), plan_digest.of_project()),
    }


def changes(trained: str | None, present: str | None) -> Macro:
    """Say whether plan and rules have changed since the study was trained.

    Args:
        trained: the digest in the study's record.
        present: that of the project.
    """
    if trained is None or present is None:
        return Macro(None, "Whether plan and rules have changed since cannot be told here.")
    if trained == present:
        return Macro(
            "none",
            "Neither plan nor rules have changed since; nothing in this paper's verdicts was decided after the data.",
        )
    return Macro(
        "changed",
        "Plan or rules have changed since this study was trained: its verdicts are exploratory, and the changes stand in the "
        "history of the files that the digest covers.",
    )


def _digest(digest: str | None) -> Macro:
    return Macro(None, latex.NOT_MEASURED) if digest is None else words(digest[:SHOWN])


def _quantity(count: float | None, unit: float, name: str, digits: int) -> Macro:
    if count is None:
        return Macro(None, latex.NOT_MEASURED)
    return Macro(count, rf"\qty{{{count / unit:.{digits}f}}}{{{name}}}")
