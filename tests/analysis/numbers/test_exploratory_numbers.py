"""Numbers without a hypothesis, of a study whose effects are planted, against the findings that rest on the same tables."""

import json
from pathlib import Path

import pandas as pd
import pytest
from planted_findings import evidence, settled

from dying_relu.analysis import latex
from dying_relu.analysis.numbers import exploratory
from dying_relu.analysis.study_results import StudyResults


def test_where_every_setting_has_an_onset_the_error_is_that_of_the_finding() -> None:
    macros = exploratory.errors_of_the_law(evidence())
    details = settled("F2a")["details"]
    assert macros["LawErrorWithOnset"].value == pytest.approx(details["Error"][0])
    assert macros["LawWithinOctaves"].value == "12 of 12"
    ratios = str(macros["LawRatioByInput"].value)
    assert ratios.count("; ") == 3
    assert " for CIFAR-10 with a constant offset" in ratios
    assert "than" not in ratios


def test_a_setting_without_an_onset_is_left_out_of_the_error_and_bounded_in_the_ratios() -> None:
    def cut(runs: pd.DataFrame) -> pd.DataFrame:
        """The study without the higher rates of one kind of input: no onset is left inside the grid."""
        high = (runs["experiment"] == "law_held_out_cifar10") & (runs["learning_rate"] > 1.5)
        return runs[~high]

    whole, macros = (exploratory.errors_of_the_law(one) for one in (evidence(), evidence(runs=cut)))
    assert "no onset for CIFAR-10 with a constant offset" in str(macros["LawRatioByInput"].value)
    assert macros["LawErrorWithOnset"].value != whole["LawErrorWithOnset"].value


def test_a_bound_says_on_which_side_of_the_grid_the_onset_lies() -> None:
    settings = pd.DataFrame({"ratio": [0.2, 6.0, 5.0], "observed": False, "least": 0.2})
    words = exploratory.ratios_in_words(settings)
    assert words == r"more than \num{5} in two networks and less than \num{0.2} in one network"


def test_the_networks_without_a_mean_are_those_of_the_finding() -> None:
    macros = exploratory.networks_without_a_mean(evidence(offset=0.8))
    details = settled("F1a")["details"]
    assert macros["FindingOneAOpenNetworks"].value == details["Networks"] - details["CutOff"]
    assert macros["FindingOneAOpenNewlyDead"].value == 0
    outcomes = [macros[f"FindingOneA{outcome}"].value for outcome in ("Trained", "Collapsed", "Diverged")]
    assert sum(outcomes) == pytest.approx(1)
    assert macros["FindingOneAControl"].value == pytest.approx(0.8, abs=0.02)


def test_networks_that_are_cut_off_from_any_gradient_are_not_counted() -> None:
    macros = exploratory.networks_without_a_mean(evidence(second=1.0))
    assert macros["FindingOneAOpenNetworks"].value == 0
    assert macros["FindingOneAControl"].value is None


def test_damaged_units_are_listed_by_damage_and_whole_networks_have_their_accuracy() -> None:
    here = evidence()
    units = exploratory.damaged_units(here)
    assert len(json.loads(str(units["FourDeadUnits"].value))) == 3
    accuracy = exploratory.accuracy_of_whole_networks(here)["FourBaseAccuracy"]
    runs = here.experiment("living_100")
    assert accuracy.value == runs.loc[runs["intervention"] == "none", "test_accuracy"].median()


def test_what_a_study_lacks_is_not_measured(small_study: Path) -> None:
    macros = exploratory.numbers(StudyResults(small_study))
    assert set(macros) == {name for names in exploratory.MEASURES.values() for name in names}
    assert set(macros.values()) == {(None, latex.NOT_MEASURED)}
