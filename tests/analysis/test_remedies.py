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
    "inputs": "standardised",
    "intervention": "none",
}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, BASELINE),
        ({"activation": "leaky_relu", "slope": 0.01}, LEAKY),
        ({"activation": "selu", "slope": None, "initialisation": "lecun"}, "SELU, LeCun initialisation"),
        ({"initial_bias": 0.1, "experiment": "remedies_bias"}, "bias 0.1"),
        ({"optimiser": "adam_weight_decay", "experiment": "remedies_training"}, "weight decay"),
        ({"inputs": "centred", "experiment": "remedies_inputs"}, "centred inputs"),
        ({"intervention": "renew_dead", "experiment": "remedies_training"}, "renew dead"),
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


def test_a_bias_that_is_a_remedy_stands_beside_every_bias_of_the_baseline() -> None:
    baseline = [PLAIN | {"initial_bias": bias} for bias in (0.0, -2.0)]
    remedy = PLAIN | {"initial_bias": 0.1, "experiment": "remedies_bias"}
    found = side_by_side(pd.DataFrame([*baseline, *baseline, remedy]))
    beside = found[found["remedy"] == "bias 0.1"]
    assert sorted(beside["initial_bias"]) == [-2.0, 0.0]
    assert set(found["remedy"].cat.categories) == {BASELINE, "bias 0.1"}
