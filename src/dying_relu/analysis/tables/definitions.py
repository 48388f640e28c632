"""The verdicts by other definitions of death."""

from dying_relu.analysis import latex, sensitivity
from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED
from dying_relu.analysis.sensitivity import NOT_COMPUTED
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

SHORT = {HOLDS: "yes", HOLDS_ONLY_IF: "only if", DOES_NOT_HOLD: "no", NOT_SETTLED: "?", NOT_COMPUTED: "--"}


def table(study: StudyResults) -> str:
    """A row a definition of death, a column a claim: the verdict in short, bold where it differs from that of the first row."""
    verdicts = sensitivity.verdicts(study)
    papers = verdicts.iloc[0]
    cells = verdicts.apply(
        lambda row: [shown(verdict, papers[claim]) for claim, verdict in row.items()],
        axis=1,
        result_type="expand",
    )
    cells.columns = verdicts.columns
    cells.insert(0, "Counted as dead", [latex.escape(name) for name in verdicts.index])
    return tabular(cells, "@{}l" + "l" * len(papers) + "@{}")


def shown(verdict: str, papers: str) -> str:
    r"""A verdict in short as LaTeX, bold where it differs from the paper's and both could be computed.

    Args:
        verdict: by some definition, or ``NOT_COMPUTED``.
        papers: the same by the paper's definition.

    >>> shown("holds", "holds"), shown("not settled", "holds")
    ('yes', '\\textbf{?}')
    >>> shown("not computed", "holds"), shown("holds", "not computed")
    ('--', 'yes')
    """
    differs = verdict != papers and NOT_COMPUTED not in (verdict, papers)
    return rf"\textbf{{{SHORT[verdict]}}}" if differs else SHORT[verdict]
