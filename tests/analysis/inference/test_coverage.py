"""What the inference promises, simulated with this study's structure."""

import numpy as np

from dying_relu.analysis.inference.coverage import _drawn, coverage, false_somewhere
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import HOLDS, Cell, decide


def test_a_claim_of_somewhere_is_wrong_in_at_most_one_case_of_twenty() -> None:
    rates = {one.method: one.measured for one in false_somewhere()}
    assert rates["sign test, Holm"] <= 0.05
    # What the correction and the test are for.
    assert 0.05 < rates["t test, Holm"] < rates["sign test, uncorrected"] < 1


def test_intervals_cover() -> None:
    found = {one.method: one for one in coverage()}
    assert found["median of a cell, order statistics"].measured >= 0.94
    assert min(one.measured for one in found.values() if one.is_used) >= 0.91
    assert found["mean over cells as if they shared no seeds"].measured < 0.8


def test_the_simulation_is_of_the_decisions_that_are_made() -> None:
    """Of cells whose medians are the threshold hardly any decision has one that holds after the correction."""
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(60):
        shared = random.normal(size=20)
        cells = [Cell(str(place), tuple(shared + random.normal(size=20))) for place in range(12)]
        wrong += any(one.corrected == HOLDS for one in decide(cells, Above(0.0)).cells)
    assert wrong <= 5


def test_a_third_of_the_cells_are_shares_of_which_a_third_is_0() -> None:
    numbers = _drawn(200, np.random.default_rng(2)).reshape(-1, 12)
    none = (numbers == 0).mean(axis=0)
    assert (none[2::3].round(1) == 0.3).all()
    assert not none[0::3].any()
    assert not none[1::3].any()
