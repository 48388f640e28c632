"""The verdict on each finding, its estimate and the further numbers that the text quotes."""

from dying_relu.analysis import claims
from dying_relu.analysis.numbers.agreement import agreement
from dying_relu.analysis.numbers.macro import Macro, macro, words
from dying_relu.analysis.numbers.verdicts import LETTERS, of_row, settled, summary
from dying_relu.analysis.study_results import StudyResults

UNQUOTED = {
    *("FindingTwoAEstimate", "FindingTwoBEstimate", "FindingTwoBExceptions", "FindingTwoBExceptionNames"),
    *("FindingFourAEstimate", "FindingFiveANetworks", "FindingFiveBNetworks"),
}
"""What the text does not quote: ratios that are infinite where a seed counts against a law, means over cells that differ in kind, and
counts that no rule rests on. The table of verdicts has them."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros of all findings, from the study's ``claims.csv``: F1a is ``FindingOneA``.

    A finding is measured if it has cells: the law's errors are printed even where no seed settles it.
    """
    table = claims.on_findings(settled(study))
    macros = {"FindingCount": macro(len(table), "number"), "FindingSummary": summary(table)}
    for row in table.to_dict("records"):
        prefix = f"Finding{LETTERS[int(row['claim'][1])]}{row['claim'][2].upper()}"
        of_finding = of_row(row, prefix)
        # A finding has one reading.
        del of_finding[f"{prefix}Literal"]
        of_finding = {name: number for name, number in of_finding.items() if name not in UNQUOTED}
        measured = bool(row["cells"])
        of_finding[f"{prefix}Measured"] = Macro(measured, "1" if measured else "0")
        macros |= of_finding | {f"{prefix}Seeds": words(agreement(row["cells"]))}
    return macros
