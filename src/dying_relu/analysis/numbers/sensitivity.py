"""What other thresholds would make of the verdicts, for the text."""

from pathlib import Path

from dying_relu.analysis import latex
from dying_relu.analysis import sensitivity as analysis
from dying_relu.analysis.numbers.macro import Macro, macro, words


def sensitivity(results_folder: Path) -> dict[str, Macro]:
    """Macros: how many thresholds were moved, how many verdicts were found so, and which of them are others than the paper's."""
    verdicts = analysis.other_thresholds(results_folder)
    changed = [
        f"{row['claim']}, {row['verdict']}, if {row['value']:g} is {row['threshold']}"
        for row in verdicts[verdicts["changed"]].to_dict("records")
    ]
    return {
        "ThresholdCount": Macro(len(analysis.THRESHOLDS), latex.word(len(analysis.THRESHOLDS))),
        "ThresholdVerdicts": macro(len(verdicts), "number"),
        "ThresholdChanges": macro(len(changed), "number"),
        "ThresholdChanged": words(f" ({'; '.join(changed)})" if changed else ""),
    }
