"""Networks that a claim's rule does not speak of: whatever becomes of them, they change nothing."""

from functools import cache
from typing import Any

import pandas as pd
import pytest
from planted_study import NOTHING, PLANTED, evidence, tables_of
from strangers import FOLLOWS, with_strangers

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by

CLAIMS = [f"C{number}" for number in range(1, 14)]
STRANGERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another experiment": ({"experiment": "another"}, CLAIMS),
    "GELU": ({"activation": "gelu"}, ["C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C11", "C12", "C13"]),
    "other biases": ({"initial_bias": -1.0}, ["C6"]),
    "other rates": ({"learning_rate": 0.077}, ["C13"]),
    "other optimisers": ({"optimiser": "rmsprop"}, ["C8", "C13"]),
    "another experiment of updates": ({"experiment": "anatomy_cnn"}, ["C9"]),
    "other seeds": ({"replicate": lambda runs: runs["replicate"] + 24}, ["C2", "C3", "C7", "C8", "C9"]),
}
"""Levels that rules leave out, and those rules."""
BESIDE_CAUSES: dict[str, dict[str, Any]] = {
    "other rates": {"learning_rate": 0.077},
    "other biases": {"initial_bias": -1.0},
    "other optimisers": {"optimiser": "momentum"},
}
"""The same of the charitable reading of C7, which rests on the experiment of causes."""


@cache
def _planted() -> pd.DataFrame:
    return settled_by(evidence(), CLAIMS).set_index("claim")[FOLLOWS]


def strangers(**changed: Any) -> Evidence:
    return with_strangers(tables_of(PLANTED), tables_of(NOTHING), **changed)


@pytest.mark.parametrize("kind", list(STRANGERS))
def test_networks_that_a_rule_does_not_speak_of_change_nothing(kind: str) -> None:
    changed, claims = STRANGERS[kind]
    found = settled_by(strangers(**changed), claims).set_index("claim")[FOLLOWS]
    pd.testing.assert_frame_equal(found, _planted().loc[claims])


@pytest.mark.parametrize("kind", list(BESIDE_CAUSES))
def test_a_large_negative_bias_is_compared_at_one_rate_under_plain_gradient_descent(kind: str) -> None:
    others = {name: table.iloc[:0] for name, table in tables_of(NOTHING).items()}
    runs = tables_of(NOTHING)["runs"]
    others["runs"] = runs[runs["experiment"] == "causes"]
    study = with_strangers(tables_of(PLANTED), others, **BESIDE_CAUSES[kind])
    found = settled_by(study, ["C7"]).set_index("claim")[FOLLOWS]
    pd.testing.assert_frame_equal(found, _planted().loc[["C7"]])
