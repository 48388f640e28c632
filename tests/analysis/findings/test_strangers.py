"""Networks that a rule does not speak of: whatever becomes of them, they change nothing."""

from functools import cache
from typing import Any

import pandas as pd
import pytest
from planted_findings import OPPOSITE, PLANTED, evidence, tables_of
from strangers import FOLLOWS, with_strangers

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.inference.seeds import REPORTING

FINDINGS = [
    *("F1a", "F1b", "F1c", "F1d", "F1e", "F2a", "F2b", "F2c", "F3a", "F3b", "F3c"),
    *("F4a", "F4b", "F4c", "F4d", "F5a", "F5b", "F6a", "F6b", "F6c", "F7a"),
]
STRANGERS: dict[str, tuple[str, Any, list[str]]] = {
    "another experiment": ("experiment", "another", FINDINGS),
    "other data": (
        "dataset",
        "cifar10",
        ["F1b", "F1c", "F1d", "F1e", "F4a", "F4b", "F4c", "F4d", "F5a", "F5b"],
    ),
    "other networks": ("architecture", "cnn", ["F1a", "F1d", "F4b", "F4c", "F4d", "F7a"]),
    "Adam": ("optimiser", "adam", ["F1e", "F2a", "F2c", "F4a", "F7a"]),
    "momentum": ("optimiser", "momentum", ["F1d", "F2a", "F2b", "F4a", "F5a", "F7a"]),
    "SGD": ("optimiser", "sgd", ["F2b", "F5b"]),
    "leaky ReLU": ("activation", "leaky_relu", ["F1a", "F1b", "F1c", "F1d", "F1e", "F2a", "F2b", "F2c"]),
    "GELU": ("activation", "gelu", ["F3b", "F3c", "F4a", "F4b", "F4c", "F4d", "F5a", "F5b", "F7a"]),
    "other rates": ("learning_rate", 0.077, ["F1b", "F1c", "F1d", "F4a", "F5a", "F5b"]),
    "other inputs": ("inputs", "third", ["F1a", "F1c", "F1d"]),
    "other interventions": (
        "intervention",
        "clipped",
        ["F1c", "F1e", "F2a", "F2b", "F2c", "F3b", "F3c", "F5a", "F5b"],
    ),
}
"""A level that rules leave out -> its factor, and those rules."""


@cache
def _planted() -> pd.DataFrame:
    return settled_by(evidence(), FINDINGS).set_index("claim")[FOLLOWS]


def strangers(**changed: Any) -> Evidence:
    return with_strangers(tables_of(PLANTED), tables_of(OPPOSITE), **changed)


@pytest.mark.parametrize("kind", list(STRANGERS))
def test_networks_that_a_rule_does_not_speak_of_change_nothing(kind: str) -> None:
    factor, level, findings = STRANGERS[kind]
    found = settled_by(strangers(**{factor: level}), findings).set_index("claim")[FOLLOWS]
    pd.testing.assert_frame_equal(found, _planted().loc[findings])


def test_seeds_that_choose_change_nothing_where_nothing_is_chosen() -> None:
    findings = [name for name in FINDINGS if not name.startswith("F3")]
    study = strangers(replicate=lambda runs: runs["replicate"] + REPORTING)
    found = settled_by(study, findings).set_index("claim")[FOLLOWS]
    pd.testing.assert_frame_equal(found, _planted().loc[findings])


def test_networks_that_did_not_train_wake_no_unit() -> None:
    """They are counted, and say nothing of the estimate."""
    findings = ["F6a", "F6b", "F6c"]
    found = settled_by(strangers(outcome="collapsed"), findings).set_index("claim")[FOLLOWS]
    assert (found["n"] == 2 * _planted().loc[findings, "n"]).all()
    pd.testing.assert_frame_equal(found.drop(columns="n"), _planted().loc[findings].drop(columns="n"))
