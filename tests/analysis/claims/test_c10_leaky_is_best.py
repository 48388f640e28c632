"""C10: leaky ReLU against the best other remedy."""

import pandas as pd
import pytest
from planted_study import in_cnns, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(
    ("gap", "verdict", "literal"),
    [(0.02, HOLDS, HOLDS), (-0.005, HOLDS, DOES_NOT_HOLD), (-0.03, DOES_NOT_HOLD, DOES_NOT_HOLD)],
)
def test_as_effective_and_the_most_effective_are_two_readings(gap: float, verdict: str, literal: str) -> None:
    found = settled("C10", leaky_gap=gap)
    assert found[["verdict", "literal"]].tolist() == [verdict, literal]
    assert found["effect"] == pytest.approx(gap, abs=0.003)
    assert found["details"]["GainOverRelu"][0] == pytest.approx(0.2 + gap, abs=0.004)
    assert found["details"]["BestOther"] == "ELU"


def test_it_can_hold_in_cnns_only() -> None:
    found = settled("C10", leaky_gap=in_cnns(0.02, -0.1))
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the network is CNN"]


def test_every_remedy_is_judged_at_its_own_best_rate() -> None:
    """Leaky ReLU is best at the other rate, where ELU is worse than at its own."""

    def swapped(runs: pd.DataFrame) -> pd.DataFrame:
        leaky = (runs["experiment"] == "remedies") & (runs["activation"] == "leaky_relu")
        rate = runs["learning_rate"].mask(leaky & (runs["learning_rate"] == 0.001), 1.0)
        rate = rate.mask(leaky & (runs["learning_rate"] == 0.01), 0.001).replace(1.0, 0.01)
        return runs.assign(learning_rate=rate)

    assert settled("C10", runs=swapped)["effect"] == pytest.approx(0.02, abs=0.003)


def test_networks_that_overflow_score_as_a_constant_answer() -> None:
    def overflowed(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["experiment"] == "remedies") & (runs["activation"] == "elu")
        shares = [name for name in runs if name.endswith(("_fraction", "_fraction_test", "_fraction_probe"))]
        lost = [*shares, "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
        changed = runs.assign(**{name: runs[name].mask(here) for name in lost})
        return changed.assign(
            overflowed=runs["overflowed"] | here,
            outcome=runs["outcome"].mask(here, "diverged"),
            overflow_step=runs["overflow_step"].mask(here, 5),
            peak_loss=runs["peak_loss"].mask(here, float("inf")),
        )

    assert settled("C10", runs=overflowed)["effect"] == pytest.approx(0.82, abs=0.003)


def test_without_another_remedy_there_is_nothing_to_compare() -> None:
    found = settled("C10", runs=lambda runs: runs[runs["activation"] != "elu"])
    assert found[["verdict", "note"]].tolist() == [
        NOT_SETTLED,
        "leaky ReLU, ReLU and another remedy are needed",
    ]


def test_the_two_remedies_that_are_best_most_often_are_named() -> None:
    def other(runs: pd.DataFrame) -> pd.DataFrame:
        elu = (runs["experiment"] == "remedies") & (runs["activation"] == "elu")
        once = (runs["dataset"] == "cifar10") & (runs["architecture"] == "cnn") & (runs["initial_bias"] == -2)
        activation = runs["activation"].mask(elu & (runs["dataset"] == "mnist"), "gelu")
        return runs.assign(activation=activation.mask(elu & once, "silu"))

    details = settled("C10", runs=other)["details"]
    assert details["BestOther"] == "GELU and ELU"
    assert details["Remedies"] == 3
