"""Where a study's numbers come from, as the paper prints it."""

from dying_relu.analysis import latex
from dying_relu.analysis.numbers.macro import Macro, macro, words
from dying_relu.analysis.study_results import StudyResults
from dying_relu.results import provenance as records


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros that say how these numbers came about and how to make them again, from the study's own record."""
    record = study.record
    hardware = record["hardware"]
    return {
        "StudyCommit": words(record["commit"]),
        "StudyRecord": words(records.fingerprint(study.folder)[:16]),
        "StudyCommand": words(record["command"]),
        "StudyVersions": words(", ".join(" ".join(pair) for pair in record["versions"].items())),
        "HardwareCpu": words(hardware["cpu"]),
        "HardwareCores": macro(hardware["cores"], "number"),
        "HardwareMemory": _gibibytes(hardware["memory_bytes"], digits=0),
    }


def _gibibytes(count: float | None, digits: int) -> Macro:
    if count is None:
        return Macro(None, latex.NOT_MEASURED)
    return Macro(count, rf"\qty{{{count / 2**30:.{digits}f}}}{{\gibi\byte}}")
