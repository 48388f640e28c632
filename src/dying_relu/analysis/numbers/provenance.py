"""Where a study's numbers come from, as the paper prints it."""

from pathlib import Path
from typing import Any

from dying_relu import provenance as records
from dying_relu import sums
from dying_relu.analysis import formatting
from dying_relu.analysis.numbers.macro import Macro, macro, words


def provenance(results_folder: Path) -> dict[str, Macro]:
    """Macros that say how these numbers came about and how to make them again, from the study's own record."""
    found = records.read(results_folder)
    hardware = found["hardware"]
    return {
        "StudyCommit": words(found["commit"]),
        "StudyRecord": words(sums.sha256(results_folder / records.NAME)[:16]),
        "StudyCommand": words(found["command"]),
        "StudyVersions": words(", ".join(" ".join(pair) for pair in found["versions"].items())),
        "HardwareCpu": words(hardware["cpu"]),
        "HardwareCores": macro(hardware["cores"], "number"),
        "HardwareMemory": _gibibytes(hardware["memory_bytes"], digits=0),
        **_training(found["training"]),
    }


def _training(jobs: dict[str, Any] | None) -> dict[str, Macro]:
    if jobs is None:
        missing = Macro(None, formatting.NOT_MEASURED)
        return {"TrainingJobs": missing, "TrainingTime": missing, "TrainingMemory": missing}
    return {
        "TrainingJobs": macro(jobs["jobs"], "number"),
        "TrainingTime": Macro(jobs["seconds"], _duration(jobs["seconds"])),
        "TrainingMemory": _gibibytes(jobs["largest_memory_mebibytes"] * 2**20, digits=1),
    }


def _gibibytes(count: float | None, digits: int) -> Macro:
    if count is None:
        return Macro(None, formatting.NOT_MEASURED)
    return Macro(count, rf"\qty{{{count / 2**30:.{digits}f}}}{{\gibi\byte}}")


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return rf"\qty{{{seconds:.0f}}}{{\second}}"
    return rf"\qty{{{minutes:.0f}}}{{\minute}}" if minutes < 120 else rf"\qty{{{minutes / 60:.1f}}}{{\hour}}"
