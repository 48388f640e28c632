"""The verdict on each finding."""

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.agreement import agreement
from dying_relu.analysis.numbers.verdicts import estimate, verdict
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row a finding: what was expected, what was measured, its mean with its interval, how many seeds agree, and the verdict."""
    rows = [
        {
            "": row["claim"],
            "Expected": latex.escape(row["statement"]),
            "Measured": latex.escape(row["measure"]),
            "Mean (interval)": estimate(row),
            "Agree": latex.escape(agreement(row["cells"])) if row["cells"] else "--",
            "Verdict": latex.with_minus_signs(latex.escape(verdict(row))),
        }
        for row in claims.findings(study).to_dict("records")
    ]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(
        pd.DataFrame(rows),
        rf"@{{}}l{column}{{1.33in}}{column}{{1.68in}}{column}{{1.0in}}{column}{{0.85in}}{column}{{0.9in}}@{{}}",
    )
