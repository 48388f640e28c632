"""What a finding says that a study cannot settle: its note names what is missing."""

from collections.abc import Callable

import pandas as pd
import pytest
from planted_findings import PLANTED, settled, tables_of
from small_evidence import SmallResults

from dying_relu.analysis.claims import NOT_SETTLED
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by

Runs = Callable[[pd.DataFrame], pd.DataFrame]


def without(**levels: str) -> Runs:
    """The runs that have not all of some levels."""

    def rest(runs: pd.DataFrame) -> pd.DataFrame:
        here = pd.Series(True, runs.index)
        for factor, level in levels.items():
            here &= runs[factor] == level
        return runs[~here]

    return rest


def changed(**levels: object) -> Runs:
    return lambda runs: runs.assign(**levels)


LACKS = "at the rates of the rule"
NOTES: dict[str, tuple[str, Runs, str]] = {
    "F1a without centred inputs": (
        "F1a",
        without(experiment="mean_inputs", inputs="centred"),
        "the experiment 'mean_inputs' has no inputs 'centred'",
    ),
    "F1b without networks at offset 0": (
        "F1b",
        without(inputs="mean_0"),
        f"the experiment 'mean_dose' lacks offset shares 0.6 or 0 {LACKS}",
    ),
    "F1b without an offset": (
        "F1b",
        lambda runs: runs[~runs["inputs"].isin(["mean_60", "random_60", "constant_60"])],
        f"the experiment 'mean_dose' lacks offset shares 0.6 or 0 {LACKS}",
    ),
    "F1c without frozen biases": (
        "F1c",
        without(intervention="frozen_biases"),
        f"the experiment 'mean_biases' lacks frozen or trained biases {LACKS}",
    ),
    "F1d without plain activations": (
        "F1d",
        without(experiment="mean_hidden", architecture="mlp"),
        f"the experiment 'mean_hidden' lacks plain or centred activations {LACKS}",
    ),
    "F1e without few components": (
        "F1e",
        lambda runs: runs[~runs["inputs"].isin(["components_1", "components_3"])],
        "in no setting of few components have three quarters of the seeds a newly dead unit in the first layer",
    ),
    "F1e under Adam alone": (
        "F1e",
        changed(optimiser="adam"),
        "the experiment 'mean_biases' has no networks under SGD or momentum without an intervention",
    ),
    "F2a under Adam alone": (
        "F2a",
        changed(optimiser="adam"),
        "the experiments 'law_held_out'... have no networks under SGD",
    ),
    "F2b under SGD alone": (
        "F2b",
        changed(optimiser="sgd"),
        "the experiments 'law_held_out'... have no networks under Adam",
    ),
    "F3b without twins": (
        "F3b",
        without(experiment="fuse_leaky"),
        "the experiments 'fuse' and 'fuse_leaky' are both needed",
    ),
    "F3b where all spike": (
        "F3b",
        changed(peak_loss=100.0),
        "at no rate do enough units die while neither selection networks nor their leaky twins spike",
    ),
    "F4a without ten units": (
        "F4a",
        without(intervention="kill_20"),
        "the experiment 'living_30' has no networks with 10 living units",
    ),
    "F4a without two units": (
        "F4a",
        without(intervention="kill_98"),
        "the experiment 'living_100' has no networks with 2 living units",
    ),
    "F5a at other rates": (
        "F5a",
        changed(learning_rate=0.07),
        "the experiment 'when' has none of the rates of the rule",
    ),
    "F6a where nothing trained": (
        "F6a",
        lambda runs: runs.assign(outcome=runs["outcome"].replace("trained", "collapsed")),
        "activities were not counted in any network that trained",
    ),
    "F6c without SGD": (
        "F6c",
        without(experiment="activity"),
        "the experiment 'activity' has no networks under SGD",
    ),
    "F7a without MLPs": (
        "F7a",
        changed(architecture="cnn"),
        "the experiment 'phase_diagram' has no MLPs under SGD",
    ),
}


@pytest.mark.parametrize("case", list(NOTES))
def test_what_is_missing_is_named(case: str) -> None:
    finding, runs, note = NOTES[case]
    found = settled(finding, runs=runs)
    assert found[["verdict", "note"]].tolist() == [NOT_SETTLED, note]
    assert found["n"] == 0
    assert found["cells"] == []


def test_too_few_woken_units_and_deaths_are_named() -> None:
    assert settled("F6a", wake=0.0)["note"] == "in no cell have further examples woken 2000 units"
    assert (
        settled("F3a", mass=0.1)["note"]
        == "at no rate do half of the untouched selection networks die in mass and stay finite"
    )


@pytest.mark.parametrize("examples", [500, 1000, 5500])
def test_numbers_of_examples_at_which_activities_were_not_counted_are_named(examples: int) -> None:
    tables = dict(tables_of(PLANTED))
    tables["activity"] = tables["activity"][tables["activity"]["examples"] != examples]
    found = settled_by(Evidence(SmallResults(tables)), ["F6a"]).iloc[0]
    assert found["note"] == f"activities were not counted on the first {examples} examples"


def test_a_control_that_fails_is_named_by_its_cells() -> None:
    found = settled("F1a", offset=0.2)
    cells = [
        f"{data}, {optimiser}" for data in ("MNIST", "CIFAR-10") for optimiser in ("SGD", "momentum", "Adam")
    ]
    assert (
        found["note"] == f"with an offset the first layer does not reach mass death in {' and '.join(cells)}"
    )
    assert found["effect"] == 0
    assert len(found["cells"]) == 6
