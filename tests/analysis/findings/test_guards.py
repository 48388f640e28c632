"""What a rule must not take for a finding: twins that are alike because nothing happens in either."""

import json

import pandas as pd
import pytest
from planted_findings import PLANTED, evidence, settled, tables_of
from small_evidence import SmallResults
from strangers import with_strangers

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.findings.f6_examples import _estimates
from dying_relu.analysis.thresholds import PAPER


def test_frozen_biases_that_spare_the_few_that_die_settle_nothing() -> None:
    """Where a tenth of the layer dies, twins of which none does differ by less than the margin."""
    assert settled("F1c", trained=0.09, frozen=-0.09)["verdict"] == NOT_SETTLED


def test_an_offset_without_effect_on_one_data_set_is_no_control() -> None:
    def without(runs: pd.DataFrame) -> pd.DataFrame:
        return runs[(runs["dataset"] == "mnist") | (runs["inputs"] != "random_60")]

    found = settled("F1a", runs=without)
    assert found["verdict"] == NOT_SETTLED
    assert "with an offset" in found["note"]


def test_a_first_layer_behind_a_dead_one_is_no_control() -> None:
    """Without a gradient nothing dies, whatever the mean of the inputs."""
    found = settled("F1a", second=1.0)
    assert found["verdict"] == NOT_SETTLED
    assert found["details"]["CutOff"] == found["details"]["Networks"]
    assert settled("F1a")["details"]["CutOff"] == 0


def test_a_placebo_that_renews_more_counts_too() -> None:
    assert settled("F3a", renewed_again=0.9)["verdict"] == DOES_NOT_HOLD
    assert settled("F3a", renewed_again=0.1)["verdict"] == HOLDS


@pytest.mark.parametrize(("flat", "verdict"), [(0.005, HOLDS), (0.03, DOES_NOT_HOLD)])
def test_twins_are_compared_with_the_deaths(flat: float, verdict: str) -> None:
    """A difference of three points is half of the deaths where six in a hundred units die."""
    assert settled("F3b", flat=flat)["verdict"] == verdict


def test_as_many_random_units_must_explain_less() -> None:
    assert settled("F4c", random=0.85)["verdict"] == DOES_NOT_HOLD
    assert settled("F4c", random=0.75)["verdict"] == HOLDS


def test_renewals_that_do_nothing_are_no_equivalence() -> None:
    found = settled("F4d", renewed=0.3, renewal=0.0)
    assert found["verdict"] == NOT_SETTLED
    assert "have a value" in found["note"]


def test_cells_in_which_few_units_wake_are_named_and_no_cells() -> None:
    found = settled("F6a")
    assert found["verdict"] == HOLDS
    assert found["details"]["LeftOut"] == "MNIST, large, Adam"
    assert len(found["cells"]) == 4


def test_networks_without_a_silent_unit_say_nothing_of_the_interval() -> None:
    found = settled("F6b", wake=0.0, asleep=0)
    assert found["verdict"] == NOT_SETTLED


def test_a_cell_at_the_best_rate_is_no_rescue() -> None:
    """Where networks that died in mass are the best of their setting, they are compared with nobody."""
    found = settled("F3c", rescued=0.95)
    assert found["verdict"] == NOT_SETTLED
    assert found["details"]["AtTheBest"] > 0


def test_where_nothing_is_left_out_none_is() -> None:
    found = settled("F6a", runs=lambda runs: runs[runs["experiment"] != "activity_cnn"])
    assert found["details"]["LeftOut"] == "none"


@pytest.mark.parametrize(
    ("damage", "condition"), [("3", "the optimiser is SGD"), ("44", "the high rate is 0.48 or 0.03")]
)
def test_a_condition_on_the_damage_is_named_by_optimiser_or_rate(damage: str, condition: str) -> None:
    """After one of the damages the lack of dead units costs as much as the damage."""

    def costly(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["intervention"] == f"lack_dead_{damage}"
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(here, runs["test_accuracy"] - 0.25))

    found = settled("F4b", runs=costly)
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, condition]


def test_a_cell_in_which_just_enough_units_wake_is_a_cell_and_not_left_out() -> None:
    study = evidence()
    fewest = _estimates(study)[1].groupby(SETTING)["woken"].sum().min()
    found = settled_by(study.judged_by(PAPER.replace(woken_units=fewest)), ["F6a"]).iloc[0]
    assert len(json.loads(found["cells"])) == 5
    assert json.loads(found["details"])["LeftOut"] == "none"


def test_a_condition_on_the_nearly_dead_is_named() -> None:
    """Under Adam their lack costs next to nothing."""

    def cheap(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["intervention"] == "lack_nearly_3"
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(here, runs["test_accuracy"] + 0.25))

    found = settled("F4c", runs=cheap)
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the optimiser is SGD"]


def test_a_condition_on_the_width_is_named() -> None:
    """In the widest layer ten living units lose what two should, and two lose nothing."""

    def reversed_there(runs: pd.DataFrame) -> pd.DataFrame:
        accuracy = runs["test_accuracy"].mask(runs["intervention"] == "kill_290", 0.5)
        return runs.assign(test_accuracy=accuracy.mask(runs["intervention"] == "kill_298", 0.88))

    found = settled("F4a", runs=reversed_there)
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the width is 30 or 100"]


def test_the_twin_without_an_offset_counts_at_every_rate_at_which_it_is_finite() -> None:
    """Without an offset networks overflow at the high rate, and lose a tenth of the layer at a lower one."""
    tables = dict(tables_of(PLANTED))
    others = {name: table.iloc[:0] for name, table in tables.items()} | {"layers": tables["layers"]}
    zero = (tables["runs"]["experiment"] == "mean_dose") & (tables["runs"]["inputs"] == "mean_0")
    others["runs"] = tables["runs"][zero]
    lost = tables["runs"]["outcome"].mask(zero, "diverged")
    tables["runs"] = tables["runs"].assign(overflowed=tables["runs"]["overflowed"] | zero, outcome=lost)
    alone = settled_by(Evidence(SmallResults(tables)), ["F1b"]).iloc[0]
    assert alone["verdict"] == NOT_SETTLED
    found = settled_by(with_strangers(tables, others, learning_rate=0.001), ["F1b"]).iloc[0]
    assert found["verdict"] == HOLDS
    assert found["effect"] == pytest.approx(settled("F1b")["effect"])
