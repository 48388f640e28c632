"""Errors just within a margin, and just beyond it: a cell's number is the median over units, not an extreme one."""

import pytest
from planted_findings import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS


@pytest.mark.parametrize(
    ("error", "verdict"), [(0.095, HOLDS), (-0.09, HOLDS), (0.11, DOES_NOT_HOLD), (-0.11, DOES_NOT_HOLD)]
)
def test_the_part_of_the_bias_is_that_of_the_median_unit(error: float, verdict: str) -> None:
    """The part of the last unit that dies is larger by 0.014 than the median, that of the first smaller."""
    assert settled("F1e", bias_part_error=error)["verdict"] == verdict
