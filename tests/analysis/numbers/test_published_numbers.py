"""Published numbers beside those of networks whose numbers are known."""

import json

import pandas as pd
import pytest

from dying_relu.analysis.numbers import published

RATES = (0.01, 0.1, 0.3, 1.0)


def filters(shares: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two replicates of a network at each of four rates, and their layers: filters with the dead shares given, all linear units dead."""
    runs = pd.DataFrame(
        {
            "run": f"{rate}-{replicate}",
            "dataset": "cifar10",
            "learning_rate": rate,
            "replicate": replicate,
            "outcome": "trained",
            "share": share,
        }
        for rate, share in zip(RATES, shares, strict=True)
        for replicate in (0, 1)
    )
    parts = [
        runs[["run"]].assign(layer=layer, units=1000, dead_all=1000 * dead)
        for layer, dead in (("conv1", runs["share"]), ("conv2", runs["share"]), ("linear1", 1.0))
    ]
    return runs.drop(columns="share"), pd.concat(parts, ignore_index=True)


def test_the_exponent_is_that_of_filters_alone() -> None:
    squares = published.filter_exponent(*filters([0.4 * rate**2 for rate in RATES]))
    assert squares.value == pytest.approx(2, abs=0.01)
    assert squares.latex.endswith("over four rates")


def test_without_rates_or_networks_the_exponent_says_so() -> None:
    few = published.filter_exponent(*filters([0, 0, 0.1, 0.9]))
    assert few == (None, "could not be measured, for want of three such rates")
    runs, layers = filters([0.1] * 4)
    absent = published.filter_exponent(runs.iloc[:0], layers)
    assert absent == (None, "was not measured, because this study has no such experiment")


def test_activity_is_listed_from_the_first_layer_to_the_last() -> None:
    layers = pd.DataFrame({"depth": [2, 1, 1], "active_share": [0.2, 0.4, 0.6]})
    shares = published.active_shares(layers)
    assert json.loads(shares.value) == [0.5, 0.2]
    assert shares.latex == r"\qty{50}{\percent} and \qty{20}{\percent}"
