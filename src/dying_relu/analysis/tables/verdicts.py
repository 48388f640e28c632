"""The verdict on each claim."""

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.verdicts import estimate
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row a claim: what the post says, the verdict, the effect with its interval, the number of networks."""
    rows = [
        {
            "Claim": row["claim"],
            "The post says": latex.escape(f"{row['statement']}."),
            "Verdict": latex.escape(row["verdict"]),
            "Effect (interval)": estimate(row),
            "Networks": latex.number(row["n"]) if row["n"] else "--",
        }
        for row in claims.verdicts(study).to_dict("records")
    ]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(pd.DataFrame(rows), rf"@{{}}l{column}{{2.4in}}{column}{{1.2in}}{column}{{1.4in}}r@{{}}")
