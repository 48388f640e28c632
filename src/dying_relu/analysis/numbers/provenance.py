"""Where a study's numbers come from, as the paper prints it."""

from pathlib import Path

from dying_relu.analysis import latex
from dying_relu.analysis.numbers.macro import Macro, macro, words
from dying_relu.results import provenance as records


def provenance(results_folder: Path) -> dict[str, Macro]:
    """Macros that say how these numbers came about and how to make them again, from the study's own record."""
    found = records.read(results_folder)
    hardware = found["hardware"]
    return {
        "StudyCommit": words(found["commit"]),
        "StudyRecord": words(records.fingerprint(results_folder)[:16]),
        "StudyCommand": words(found["command"]),
        "StudyVersions": words(", ".join(" ".join(pair) for pair in found["versions"].items())),
        "HardwareCpu": words(hardware["cpu"]),
        "HardwareCores": macro(hardware["cores"], "number"),
        "HardwareMemory": _gibibytes(hardware["memory_bytes"], digits=0),
    }


def _gibibytes(count: float | None, digits: int) -> Macro:
    if count is None:
        return Macro(None, latex.NOT_MEASURED)
    return Macro(count, rf"\qty{{{count / 2**30:.{digits}f}}}{{\gibi\byte}}")
