"""Remedies are named after what differs from what most networks have in common."""

import pandas as pd
import pytest

from dying_relu.analysis.remedies import BASELINE, LEAKY, side_by_side

PLAIN = {
    "experiment": "remedies",
    "architecture": "mlp",
    "optimiser": "adam",
    "activation": "relu",
    "slope": 0.0,
    "initialisation": "he",
    "initial_bias": 0.0,
    "learning_rate": 0.001,
}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, BASELINE),
        ({"activation": "leaky_relu", "slope": 0.01}, LEAKY),
        ({"activation": "selu", "slope": None, "initialisation": "lecun"}, "SELU, LeCun initialisation"),
        ({"initial_bias": 0.1, "experiment": "remedies_bias"}, "bias 0.1"),
        ({"optimiser": "adam_weight_decay", "experiment": "remedies_training"}, "weight decay"),
        ({"architecture": "mlp_batch_norm", "experiment": "remedies_normalisation"}, "batch norm"),
    ],
)
def test_a_remedy_has_the_name_of_what_differs(change: dict, name: str) -> None:
    runs = pd.DataFrame([PLAIN, PLAIN, PLAIN | change])
    found = side_by_side(runs)
    assert found["remedy"].iloc[2] == name
    assert found["remedy"].iloc[0] == BASELINE
    assert set(found["architecture"]) == {"mlp"}
    assert set(found["optimiser"]) == {"adam"}


def test_other_experiments_are_left_out() -> None:
    runs = pd.DataFrame([PLAIN, PLAIN | {"experiment": "causes"}])
    assert len(side_by_side(runs)) == 1
    assert side_by_side(runs.iloc[1:]).empty


def test_a_lower_rate_is_a_remedy_at_the_highest_rate() -> None:
    leaky = {"activation": "leaky_relu", "slope": 0.01}
    other = {"experiment": "remedies_training", "optimiser": "adam_clipped", "learning_rate": 0.0001}
    runs = pd.DataFrame(
        [PLAIN | change | {"learning_rate": rate} for rate in (0.001, 0.03) for change in ({}, leaky)]
        + [PLAIN | other]
    ).assign(dead_fraction=[0.1, 0.2, 0.3, 0.4, 0.5])
    found = side_by_side(runs)
    slowed = found[found["remedy"] == "lower rate (0.001)"]
    assert slowed[["learning_rate", "dead_fraction", "activation"]].to_numpy().tolist() == [
        [0.03, 0.1, "relu"]
    ]
    assert len(found) == len(runs) + 1
    assert list(found["remedy"].cat.categories) == [BASELINE, "lower rate (0.001)", LEAKY, "clipped"]


def test_a_single_rate_has_no_lower_one() -> None:
    assert len(side_by_side(pd.DataFrame([PLAIN | {"learning_rate": 0.1}]))) == 1
