"""The verdict on each claim."""

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.verdicts import estimate, verdict
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row a claim: what the post says, the verdict with its condition, the effect with its interval, the literal reading's verdict."""
    rows = [
        {
            "Claim": row["claim"],
            "The post says": latex.escape(f"{row['statement']}."),
            "Verdict": latex.escape(verdict(row)),
            "Effect (interval)": estimate(row),
            "Literally": latex.escape(row["literal"] or "the same"),
        }
        for row in claims.verdicts(study).to_dict("records")
    ]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(
        pd.DataFrame(rows),
        rf"@{{}}l{column}{{2.1in}}{column}{{1.2in}}{column}{{1.3in}}{column}{{0.7in}}@{{}}",
    )
