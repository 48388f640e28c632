"""The clauses that the paper prints beside a verdict: the literal reading, and what a study lacks."""

from collections.abc import Callable

import pandas as pd
import pytest
from planted_study import PLANTED, evidence, settled

from dying_relu.analysis.claims import HOLDS, NOT_SETTLED
from dying_relu.analysis.claims.evidence import Definition
from dying_relu.analysis.claims.settle import settled_by

Change = Callable[[pd.DataFrame], pd.DataFrame]

LITERALLY = {
    "C1": "",
    "C2": "for every unit of the first layer with a weight other than 0 there is an input that wakes it",
    "C3": "of a unit that is negative on one example, whether it becomes active on that example",
    "C4": "0 dead units were alive at a later checkpoint, and removing dead ones changed 0 % of the answers on test examples",
    "C5": "of networks that stay finite, whether they trained or not",
    "C6": "at any rate at which networks stay finite",
    "C7": "whether biases become large and negative in units that die",
    "C8": "the bias is added to the weight",
    "C9": "units with more negative weights before training die more often",
    "C10": "better than every other remedy",
    "C11": "",
    "C12": "learning the slope beats fixing it at 0.25",
    "C13": "over all settings, whether units die there or not",
}


def test_the_literal_reading_is_said_in_words() -> None:
    found = settled_by(evidence(PLANTED), list(LITERALLY)).set_index("claim")
    assert found["literal_note"].to_dict() == LITERALLY
    assert found.loc["C8", "note"] == "trivial: two updates"


LACKS: dict[str, tuple[str, dict[str, Change], str]] = {
    "C5 where nothing trains": (
        "C5",
        {"runs": lambda runs: runs.assign(outcome="collapsed")},
        "in no setting do all selection networks train",
    ),
    "C11 without a larger slope": (
        "C11",
        {"runs": lambda runs: runs[runs["slope"].isna() | (runs["slope"] < 0.01)]},
        "ReLU, slope 0.0001 and another slope are needed",
    ),
    "C12 without PReLU": (
        "C12",
        {"runs": lambda runs: runs[runs["activation"] != "prelu"]},
        "the study has no PReLU networks",
    ),
    "C13 where nothing dies": (
        "C13",
        {"runs": lambda runs: runs.assign(new_dead_fraction=0.0)},
        "in no setting do units die at the high rate",
    ),
    "C10 with one seed": (
        "C10",
        {"runs": lambda runs: runs[runs["replicate"] == 0]},
        "no seed is left to report beside those that choose",
    ),
    "C11 with one seed": (
        "C11",
        {"runs": lambda runs: runs[runs["replicate"] == 0]},
        "no seed is left to report beside those that choose",
    ),
}


@pytest.mark.parametrize("case", list(LACKS))
def test_what_a_study_lacks_is_named(case: str) -> None:
    claim, changes, note = LACKS[case]
    found = settled(claim, **changes)
    assert found[["verdict", "note", "n"]].tolist() == [NOT_SETTLED, note, 0]


LITERALLY_LACKS: dict[str, tuple[str, dict[str, Change], str]] = {
    "C7 without deaths": (
        "C7",
        {"units": lambda units: units.assign(dead=False, dead_all=False)},
        "whether biases become large and negative in units that die: no recorded unit dies in training",
    ),
    "C8 without plain gradient descent": (
        "C8",
        {"runs": lambda runs: runs[(runs["experiment"] != "anatomy") | (runs["optimiser"] != "sgd")]},
        "the bias is added to the weight: no units are recorded update by update under plain SGD in 'anatomy...'",
    ),
    "C8 without a bias": (
        "C8",
        {"units": lambda units: units.assign(bias=0.0)},
        "the bias is added to the weight: no dead unit has a bias other than 0",
    ),
    "C12 without the fixed slope": (
        "C12",
        {"runs": lambda runs: runs[runs["slope"].ne(0.25) | runs["activation"].eq("prelu")]},
        "learning the slope beats fixing it at 0.25: the experiment 'slopes' needs PReLU and slope 0.25",
    ),
}


@pytest.mark.parametrize("case", list(LITERALLY_LACKS))
def test_what_the_literal_reading_lacks_is_named(case: str) -> None:
    claim, changes, note = LITERALLY_LACKS[case]
    found = settled(claim, **changes)
    assert found[["verdict", "literal", "literal_note"]].tolist() == [HOLDS, NOT_SETTLED, note]


def test_units_that_are_dead_by_another_definition_are_not_compared_on_both_sets() -> None:
    inactive = evidence(definition=Definition("inactive_fraction", "inactive", "inactive"))
    found = settled_by(inactive, ["C2"]).iloc[0]
    note = "by this definition units are not compared one by one on both sets"
    assert found[["verdict", "note"]].tolist() == [NOT_SETTLED, note]
