"""What the inference promises, simulated with this study's structure."""

import numpy as np
import pytest
from scipy import stats

from dying_relu.analysis.inference.coverage import (
    CELLS,
    REPETITIONS,
    SEED,
    _drawn,
    _sign_p,
    _true,
    coverage,
    false_somewhere,
)
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


def test_what_is_simulated_has_the_level_that_the_paper_claims() -> None:
    errors, intervals = false_somewhere(), coverage()
    assert [one.nominal for one in errors] == pytest.approx([0.05] * 3)
    assert [one.nominal for one in intervals] == [0.95] * 4
    assert [one.is_used for one in (*errors, *intervals)] == [True, False, False, True, True, True, False]


def test_the_true_medians_and_means_are_those_of_the_populations() -> None:
    """A standard normal number; the fourth power of a uniform one; the square of what a uniform one exceeds a third by."""
    assert _true(np.median)[:3] == pytest.approx([0, 1 / 16, 1 / 36], abs=1e-4)
    assert _true(np.mean)[:3] == pytest.approx([0, 1 / 5, (2 / 3) ** 3 / 3], abs=1e-4)
    assert _true(np.mean) == pytest.approx(np.tile(_true(np.mean)[:3], 4))


def test_half_of_the_variance_is_the_seeds() -> None:
    numbers = _drawn(2000, np.random.default_rng(3)).reshape(-1, 12)
    assert numbers[:, 0].std() == pytest.approx(1, abs=0.02)
    assert np.corrcoef(numbers[:, 0], numbers[:, 3])[0, 1] == pytest.approx(0.5, abs=0.02)


def test_the_sign_tests_level_follows_from_a_count() -> None:
    assert _sign_p(5) == pytest.approx(0.0207, abs=5e-5)
    assert _sign_p(20) == 1
    assert _sign_p(0) == pytest.approx(2**-20)


def test_a_cell_is_called_wrongly_where_its_statistic_is_beyond_the_critical_one() -> None:
    numbers = _drawn(REPETITIONS, np.random.default_rng(SEED))
    on_a_side = 0.025 / CELLS
    t = (numbers.mean(axis=1) - _true(np.mean)) / (numbers.std(axis=1, ddof=1) / np.sqrt(20))
    by_t = (np.abs(t) >= stats.t.ppf(1 - on_a_side, 19)).any(axis=1).mean()
    above = (numbers > _true(np.median)).sum(axis=1)
    most = np.maximum(above, 20 - above)
    corrected, alone = (
        (stats.binom.sf(most - 1, 20, 0.5) <= level).any(axis=1).mean() for level in (on_a_side, 0.025)
    )
    assert [one.measured for one in false_somewhere()] == pytest.approx([corrected, alone, by_t])


def test_an_interval_covers_the_mean_where_the_error_is_within_its_half() -> None:
    numbers = _drawn(REPETITIONS, np.random.default_rng(SEED + 1))
    quantile = stats.t.ppf(0.975, 19)
    error = np.abs(numbers.mean(axis=(1, 2)) - _true(np.mean).mean())
    jointly = quantile * stats.sem(numbers.mean(axis=2), axis=1)
    apart = quantile * np.sqrt((stats.sem(numbers, axis=1) ** 2).sum(axis=1)) / CELLS
    ordered, medians = np.sort(numbers, axis=1), _true(np.median)
    covered = (ordered[:, 5] <= medians) & (medians <= ordered[:, 14])
    expected = [covered.mean(axis=0).min(), (error <= jointly).mean(), (error <= apart).mean()]
    median, together, _, separate = (one.measured for one in coverage())
    assert [median, together, separate] == pytest.approx(expected)
