"""C2: dead on other examples."""

import pandas as pd
import pytest
from planted_study import in_cnns, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.97, HOLDS), (0.95, NOT_SETTLED), (0.93, DOES_NOT_HOLD), (0.0, DOES_NOT_HOLD)]
)
def test_nearly_all_dead_units_have_to_be_dead_on_the_test_set(share: float, verdict: str) -> None:
    found = settled("C2", elsewhere=share)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(share, abs=0.003)
    assert found["literal"] == DOES_NOT_HOLD


def test_it_can_hold_in_cnns_only() -> None:
    found = settled("C2", elsewhere=in_cnns(0.99, 0.5))
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the network is CNN"]


def test_networks_that_did_not_train_are_not_looked_at() -> None:
    def wrecked(runs: pd.DataFrame) -> pd.DataFrame:
        """In one seed of three, and there no dead unit is dead on the test set."""
        here = runs["replicate"] % 5 == 0
        none = runs[["dead_fraction_test", "dead_on_both_fraction"]].mask(here, 0.0)
        return runs.assign(outcome=runs["outcome"].mask(here, "collapsed"), **none)

    found = settled("C2", runs=wrecked)
    assert found["verdict"] == HOLDS
    assert {cell["seeds"] for cell in found["cells"]} == {16}


def test_probe_sets_that_are_not_the_whole_sets_settle_nothing() -> None:
    def smaller(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(dead_fraction_probe=(runs["dead_fraction_probe"] + 0.01).clip(upper=1))

    found = settled("C2", runs=smaller)
    assert found[["verdict", "note"]].tolist() == [
        NOT_SETTLED,
        "the training probe set is not the whole training set",
    ]
