"""The rules that the verdicts on claims follow."""

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.study_results import StudyResults


def table(study: StudyResults) -> str:
    """A description list: of each claim what the effect measures and the rule of its verdict."""
    return described(claims.verdicts(study))


def described(verdicts: pd.DataFrame) -> str:
    """A description list of rules.

    Args:
        verdicts: a row a claim, or a finding.
    """
    items = [
        rf"\item[{row['claim']}] \emph{{Effect:}} {latex.escape(row['measure'])}. \emph{{Rule:}} {latex.escape(row['rule'])}"
        rf" \emph{{Experiments:}} {latex.escape(row['experiment'])}."
        for row in verdicts.to_dict("records")
    ]
    return "\\begin{description}\n" + "\n".join(items) + "\n\\end{description}\n"
