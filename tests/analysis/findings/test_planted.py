"""All findings: what is planted is found, its opposite is refuted, and what is missing settles nothing."""

import pandas as pd
import pytest
from planted_findings import OPPOSITE, PLANTED, evidence

from dying_relu.analysis import claims
from dying_relu.analysis.claims.settle import settled_by

IDS = [
    *("F1a", "F1b", "F1c", "F1d", "F1e", "F2a", "F2b", "F3a", "F3b", "F3c"),
    *("F4a", "F4b", "F4c", "F4d", "F5a", "F5b", "F6a", "F6b", "F6c", "F7a"),
]


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return settled_by(evidence(PLANTED), IDS).set_index("claim")


def test_every_finding_of_the_plan_has_a_rule() -> None:
    assert [finding.id for finding in claims.ordered_findings()] == IDS


@pytest.mark.parametrize("finding", IDS)
def test_effects_that_were_planted_are_found(finding: str, planted: pd.DataFrame) -> None:
    row = planted.loc[finding]
    assert row["verdict"] == claims.HOLDS, (row["note"], row["cells"], row["details"])


@pytest.mark.parametrize("finding", IDS)
def test_opposite_effects_are_refuted(finding: str) -> None:
    row = settled_by(evidence(OPPOSITE), [finding]).iloc[0]
    assert row["verdict"] == claims.DOES_NOT_HOLD, (row["note"], row["cells"], row["details"])
