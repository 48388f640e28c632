"""The comparison: its rule, its tables, and that theory and published numbers stand."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_study import ORIGIN

from dying_relu.errors import DyingReluError
from dying_relu.results import store
from dying_relu.results.simulation_schemas import BORN_DEAD, VALIDATION
from dying_relu.simulations import born_dead
from dying_relu.simulations.checks import EXACT, REPORTED, Check, checks
from dying_relu.simulations.probabilities import Count
from dying_relu.simulations.protocol import COLLAPSE, WEIGHT_LAYERS, WIDTH
from dying_relu.simulations.validation import compared, validate

HALF = Check("half", "eq:x", "a coin", "", 0.5, 0.5, lambda: Count(1, 2))
MOST = replace(HALF, published="more than 90 %", low=0.9, high=1.0)


def test_an_exact_value_admits_four_standard_errors() -> None:
    trials, error = 10_000, 0.005
    inside, outside = (compared(HALF, Count(5_000 + shift, trials)) for shift in (199, 201))
    assert (inside["agrees"], outside["agrees"]) == (True, False)
    assert inside["standard_error"] == pytest.approx(error)
    assert inside["difference"] == pytest.approx(0.0199)
    assert inside["kind"] == EXACT


def test_a_range_admits_its_inside_and_four_standard_errors_beyond() -> None:
    trials = 1_000
    inside, near, far = (compared(MOST, Count(successes, trials)) for successes in (950, 880, 800))
    assert (inside["difference"], inside["agrees"], inside["kind"]) == (0, True, REPORTED)
    assert near["difference"] == pytest.approx(-0.02)
    assert near["agrees"]
    assert not far["agrees"]


@given(st.integers(1, 1_000), st.data())
def test_every_comparison_fits_its_schema(trials: int, data: st.DataObject) -> None:
    count = Count(data.draw(st.integers(0, trials)), trials)
    table = pd.DataFrame([compared(check, count) for check in (HALF, replace(MOST, name="most"))])
    VALIDATION.validate(table)


def test_every_check_has_a_name_and_admits_something() -> None:
    found = checks()
    assert len({check.name for check in found}) == len(found)
    assert COLLAPSE in {check.name for check in found}
    for check in found:
        assert 0 <= check.low <= check.high <= 1
        assert check.high - check.low < 1
        assert check.published or check.kind == EXACT


def test_fractions_are_printed_as_what_they_are() -> None:
    fractions = [check for check in checks() if "/" in check.published]
    assert len(fractions) == 6
    for check in fractions:
        above, below = map(int, check.published.split("/"))
        assert check.low == above / below


@pytest.mark.slow
def test_our_networks_agree_with_theory_and_published_numbers() -> None:
    table = validate()
    assert list(table.loc[~table["agrees"], "check"]) == []
    VALIDATION.validate(table)


def test_the_grid_of_networks_is_whole_and_lawful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(born_dead, "NETWORKS", 300)
    table = BORN_DEAD.validate(born_dead.simulate())
    assert len(table) == len(born_dead.CASES) * len(born_dead.WIDTHS) * (born_dead.WEIGHT_LAYERS - 1)
    by_depth = table.groupby(["initialisation", "inputs", "width"])["born_dead"]
    assert by_depth.apply(lambda counts: counts.is_monotonic_increasing).all()
    usual = table[(table["width"] == WIDTH) & (table["weight_layers"] == WEIGHT_LAYERS)]
    shares = usual.set_index(["initialisation", "inputs"])["born_dead"] / 300
    assert shares["rai", "interval"] < 0.5 < shares["he", "plane"] < shares["he", "one point"] + 0.1


def test_a_damaged_table_is_refused(tmp_path) -> None:
    table = pd.DataFrame([compared(HALF, Count(1, 2))])
    with pytest.raises(DyingReluError, match="not hold a valid table of validation"):
        store.write("validation", table.assign(ours=1.5), tmp_path / "validation.parquet", ORIGIN)
