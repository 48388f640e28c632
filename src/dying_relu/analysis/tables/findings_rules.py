"""The rules that the verdicts on findings follow."""

from dying_relu.analysis import claims
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.claims_rules import described


def table(study: StudyResults) -> str:
    """A description list: of each finding what the effect measures and the rule of its verdict."""
    return described(claims.findings(study))
