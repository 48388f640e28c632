"""C12: a slope that is learned."""

import pandas as pd
import pytest
from planted_study import PLANTED, settled, tables_of
from small_evidence import SmallResults
from small_evidence import settled as settled_by_evidence

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, NOT_SETTLED
from dying_relu.analysis.claims.evidence import Evidence


@pytest.mark.parametrize(("moves", "verdict"), [(0.02, HOLDS), (0.005, DOES_NOT_HOLD), (-0.02, HOLDS)])
def test_the_slope_has_to_move(moves: float, verdict: str) -> None:
    found = settled("C12", slope_moves=moves)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(abs(moves), rel=0.02)
    assert found["details"]["MeanSlope"] == pytest.approx(0.25 + moves, abs=0.001)


def test_it_answers_for_every_optimiser() -> None:
    def under_adam(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["activation"] == "prelu") & (runs["learning_rate"] == 0.1)
        return runs.assign(optimiser=runs["optimiser"].mask(here, "adam"))

    # The made-up slopes are equal under both, so that their cells are one each.
    names = [cell["name"] for cell in settled("C12", runs=under_adam)["cells"]]
    assert names[0] == "MNIST, MLP, SGD = MNIST, MLP, Adam"
    assert len(names) == 4


@pytest.mark.parametrize(("gain", "literal"), [(0.02, HOLDS), (0.0, DOES_NOT_HOLD), (-0.1, DOES_NOT_HOLD)])
def test_literally_learning_beats_fixing_the_slope_where_it_began(gain: float, literal: str) -> None:
    found = settled("C12", prelu_gain=gain)
    assert found["literal"] == literal
    assert found["details"]["AgainstFixed"][0] == pytest.approx(gain, abs=0.003)


def test_without_the_fixed_slope_the_literal_reading_is_open() -> None:
    found = settled("C12", runs=lambda runs: runs[runs["slope"].ne(0.25) | runs["activation"].eq("prelu")])
    assert found[["verdict", "literal"]].tolist() == [HOLDS, NOT_SETTLED]


def test_networks_that_did_not_train_are_counted_and_left_out() -> None:
    def lost(runs: pd.DataFrame) -> pd.DataFrame:
        prelu = (runs["activation"] == "prelu") & (runs["learning_rate"] == 0.1)
        return runs.assign(outcome=runs["outcome"].mask(prelu, "diverged"))

    found = settled("C12", runs=lost)
    assert found["verdict"] == HOLDS
    assert found["details"]["NotTrained"] == 0.5


def test_slopes_that_move_apart_are_averaged_and_the_lowest_is_named() -> None:
    def apart(network: dict[str, object]) -> float:
        return 0.1 if network["learning_rate"] == 0.1 else -0.3

    details = settled("C12", slope_moves=apart)["details"]
    assert details["MeanSlope"] == pytest.approx(0.15, abs=0.002)
    assert details["LowestSlope"] == pytest.approx(-0.05, abs=0.01)
    assert details["NegativeSlopes"] > 0.2


def test_a_slope_of_0_is_not_negative() -> None:
    tables = tables_of(PLANTED)
    flat = Evidence(SmallResults(tables | {"layers": tables["layers"].assign(slope=0.0)}))
    details = settled_by_evidence("C12", flat)["details"]
    assert (details["NegativeSlopes"], details["LowestSlope"]) == (0, 0)
