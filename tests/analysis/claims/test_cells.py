"""Cells, from tables with a value a seed."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of, in_words

RUNS = pd.DataFrame(
    {
        "dataset": ["mnist"] * 3 + ["cifar10"] * 3,
        "initial_bias": [-2.0] * 6,
        "replicate": [0, 1, 2] * 2,
        "dead": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    }
)
BY = ["dataset", "initial_bias"]


def test_a_cell_has_a_number_a_seed_in_their_order() -> None:
    values = by_seed(RUNS.sample(frac=1, random_state=0), BY, lambda rows: rows["dead"].sum())
    first, second = cells_of(values, RUNS, BY)
    assert (first.name, first.numbers) == ("MNIST, initial bias -2", (0.1, 0.2, 0.3))
    assert second.levels == {"data set": "CIFAR-10", "initial bias": "-2"}


def test_a_cell_without_any_number_does_not_vanish() -> None:
    values = by_seed(RUNS.query("dataset == 'mnist' and replicate != 1"), BY, lambda rows: rows["dead"].sum())
    first, second = cells_of(values, RUNS, BY)
    np.testing.assert_equal(first.numbers, (0.1, np.nan, 0.3))
    assert np.isnan(second.numbers).all()


def test_names_speak_for_themselves_and_numbers_have_their_factor() -> None:
    assert in_words("optimiser", "sgd_weight_decay") == "SGD weight decay"
    assert in_words("learning_rate", 0.03) == "rate 0.03"


def test_values_are_named_by_cell_and_seed() -> None:
    values = by_seed(RUNS, BY, lambda rows: rows["dead"].sum())
    assert list(values.index.names) == [*BY, "replicate"]
    assert values.loc[("cifar10", -2.0, 1)] == 0.5
