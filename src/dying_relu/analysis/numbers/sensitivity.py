"""The verdicts by other thresholds, for the text."""

from dying_relu.analysis import latex
from dying_relu.analysis import sensitivity as analysis
from dying_relu.analysis.numbers.macro import Macro, macro
from dying_relu.analysis.study_results import StudyResults


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros: how many thresholds were moved, how many verdicts were found so, and how many of them are others than the paper's."""
    verdicts = analysis.other_thresholds(study)
    moved = analysis.moved()
    return {
        "ThresholdCount": Macro(len(moved), latex.word(len(moved))),
        "ThresholdVerdicts": macro(len(verdicts), "number"),
        "ThresholdChanges": macro(int(verdicts["changed"].sum()), "number"),
    }
