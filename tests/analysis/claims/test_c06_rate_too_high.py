"""C6: a rate that is too high."""

import pandas as pd
import pytest
from planted_study import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(("rise", "verdict"), [(0.06, HOLDS), (0.04, DOES_NOT_HOLD), (-0.2, DOES_NOT_HOLD)])
def test_the_rise_has_to_be_more_than_five_points(rise: float, verdict: str) -> None:
    found = settled("C6", rise=rise)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(rise)


def test_it_answers_for_every_optimiser() -> None:
    found = settled("C6", rise=lambda network: 0.0 if network["optimiser"] == "adam" else 0.3)
    assert found["verdict"] == HOLDS_ONLY_IF
    assert found["condition"] == "the optimiser is SGD or momentum"
    assert found["details"]["Adam"][0] == 0
    assert found["details"]["Rates"] == ("0.03 to 0.3 (SGD), 0.01 to 0.1 (momentum) and 0.003 to 0.03 (Adam)")


def test_a_rate_at_which_networks_do_not_train_is_no_evidence_for_the_charitable_reading() -> None:
    """Accuracy falls to chance at the high rate; the networks stay finite."""

    def collapsed(runs: pd.DataFrame) -> pd.DataFrame:
        high = runs["learning_rate"].isin((0.3, 0.1)) | (
            (runs["optimiser"] == "adam") & (runs["learning_rate"] == 0.03)
        )
        return runs.assign(
            outcome=runs["outcome"].mask(high, "collapsed"),
            test_accuracy=runs["test_accuracy"].mask(high, 0.1),
        )

    found = settled("C6", runs=collapsed)
    assert found[["verdict", "literal"]].tolist() == [NOT_SETTLED, HOLDS]
    assert "only 0 of 20 seeds have a value" in found["note"]
    assert found["details"]["CollapsedShare"] == 1


def test_seeds_that_miss_an_end_are_missing() -> None:
    """A quarter of the seeds, no more, may lack a value."""

    def lost(count: int) -> pd.Series:
        return settled(
            "C6",
            runs=lambda runs: runs.assign(
                outcome=runs["outcome"].mask(
                    (runs["replicate"] < count) & (runs["learning_rate"] == 0.3), "collapsed"
                )
            ),
        )

    assert lost(5)["verdict"] == HOLDS
    assert lost(6)["verdict"] == NOT_SETTLED
