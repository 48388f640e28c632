"""C5: a large part of the network."""

import pandas as pd
import pytest
from planted_study import SEEDS, in_cnns, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(("share", "verdict"), [(0.27, HOLDS), (0.25, NOT_SETTLED), (0.22, DOES_NOT_HOLD)])
def test_a_quarter_of_a_trained_network_has_to_die(share: float, verdict: str) -> None:
    found = settled("C5", dead=share)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(share, abs=0.005)


def test_it_can_hold_in_cnns_only() -> None:
    found = settled("C5", dead=in_cnns(0.5, 0.1))
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the network is CNN"]


def test_units_born_dead_do_not_count() -> None:
    assert settled("C5", dead=0.1, born=0.8)["verdict"] == DOES_NOT_HOLD


def test_the_worst_setting_is_chosen_on_other_seeds_than_it_is_judged_on() -> None:
    """In one setting a chosen seed loses most, and no other does."""

    def unlucky(runs: pd.DataFrame) -> pd.DataFrame:
        worst = (runs["learning_rate"] == 0.03) & (runs["initial_bias"] == -2)
        dead = (
            runs["new_dead_fraction"]
            .mask(worst & (runs["replicate"] >= 20), 0.9)
            .mask(worst & (runs["replicate"] < 20), 0.1)
        )
        return runs.assign(
            new_dead_fraction=dead,
            dead_fraction=runs["dead_fraction"].clip(lower=dead),
            dead_fraction_probe=runs["dead_fraction"].clip(lower=dead),
        )

    found = settled("C5", runs=unlucky)
    assert found["verdict"] == DOES_NOT_HOLD
    assert found["n"] == 4 * (SEEDS - 4)


def test_a_setting_in_which_a_selection_network_collapsed_is_not_one_in_which_networks_train() -> None:
    def collapsed(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["learning_rate"].isin((0.3, 0.1)) & (runs["replicate"] == 21)
        here |= (runs["optimiser"] == "adam") & (runs["replicate"] == 21)
        return runs.assign(outcome=runs["outcome"].mask(here, "collapsed"))

    found = settled("C5", runs=collapsed, rise=0.35)
    assert found[["verdict", "literal"]].tolist() == [DOES_NOT_HOLD, HOLDS]
