"""The verdicts by other definitions of death."""

from dying_relu.analysis import latex, sensitivity
from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

SHORT = {HOLDS: "yes", HOLDS_ONLY_IF: "only if", DOES_NOT_HOLD: "no", NOT_SETTLED: "?"}


def table(study: StudyResults) -> str:
    """A row a definition of death, a column a claim: the verdict in short, bold where it is not that of the first row."""
    verdicts = sensitivity.verdicts(study)
    papers = verdicts.iloc[0]
    cells = verdicts.apply(
        lambda row: [_cell(verdict, papers[claim]) for claim, verdict in row.items()],
        axis=1,
        result_type="expand",
    )
    cells.columns = verdicts.columns
    cells.insert(0, "Counted as dead", [latex.escape(name) for name in verdicts.index])
    return tabular(cells, "@{}l" + "l" * len(papers) + "@{}")


def _cell(verdict: str, papers: str) -> str:
    return SHORT[verdict] if verdict in (papers, NOT_SETTLED) else rf"\textbf{{{SHORT[verdict]}}}"
