"""The rules that the verdicts follow."""

from dying_relu.analysis import claims, latex
from dying_relu.analysis.study_results import StudyResults


def table(study: StudyResults) -> str:
    """A description list: of each claim what the effect measures and the rule of its verdict."""
    items = [
        rf"\item[{row['claim']}] \emph{{Effect:}} {latex.escape(row['measure'])}. \emph{{Rule:}} {latex.escape(row['rule'])}"
        rf" \emph{{Experiments:}} {latex.escape(row['experiment'])}."
        for row in claims.verdicts(study).to_dict("records")
    ]
    return "\\begin{description}\n" + "\n".join(items) + "\n\\end{description}\n"
