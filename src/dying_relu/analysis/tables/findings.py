"""The verdict on each finding."""

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.findings import seeds
from dying_relu.analysis.numbers.verdicts import estimate, verdict
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row a finding: what was expected, the verdict with its condition, the effect with its interval, and how many seeds agree."""
    rows = [
        {
            "Finding": row["claim"],
            "Expected": latex.escape(f"{row['statement']}."),
            "Verdict": latex.escape(verdict(row)),
            "Effect (interval)": estimate(row),
            "Seeds that agree": latex.escape(seeds(row["cells"])),
        }
        for row in claims.findings(study).to_dict("records")
    ]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(
        pd.DataFrame(rows),
        rf"@{{}}l{column}{{1.9in}}{column}{{1.0in}}{column}{{1.2in}}{column}{{1.1in}}@{{}}",
    )
