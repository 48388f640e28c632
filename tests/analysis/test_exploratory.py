"""Comparisons without a hypothesis, of a study whose effects are planted."""

import numpy as np
import pandas as pd
import pytest
from planted_findings import evidence

from dying_relu.analysis import exploratory
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.exploratory import Comparison


def as_convolutions(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs as if some experiments had been of convolutional networks."""
    renamed = {"mean_inputs": "mean_inputs_cnn", "phase_diagram": "phase_diagram_cnn"}
    return runs.assign(experiment=runs["experiment"].replace(renamed))


def medians(comparison: Comparison) -> dict[str, float]:
    return {level.words: float(np.nanmedian(level.numbers)) for level in comparison.levels}


@pytest.fixture(scope="module")
def convolutional() -> Evidence:
    return evidence(runs=as_convolutions)


def test_every_dose_is_the_mean_over_its_directions() -> None:
    """The planted study has share 0.6 in three directions, and 0."""
    for comparison in exploratory.doses(evidence(offset=0.8)):
        assert medians(comparison) == pytest.approx({"share 0": 0.01, "share 0.6": 0.8}, abs=0.02)
        assert [len(level.numbers) for level in comparison.levels] == [20, 20]


def test_the_largest_share_over_rates_leaves_out_what_overflowed(convolutional: Evidence) -> None:
    found = exploratory.first_convolutions(convolutional)
    assert len(found) == 6
    assert all(medians(comparison) == {"centred": 0.0} for comparison in found)


def test_mass_death_of_convolutions_is_counted_on_both_sides_of_the_line(convolutional: Evidence) -> None:
    found = exploratory.lines_of_convolutions(convolutional)
    assert len(found) == 2
    for comparison in found:
        below, above, largest = comparison.levels
        assert np.median(below.numbers) < np.median(above.numbers)
        assert np.median(largest.numbers) >= 0.25
        networks = sum(int(level.words.split("(")[1].split()[0]) for level in (below, above))
        assert networks <= len(convolutional.experiment("phase_diagram_cnn"))


def test_freezing_biases_changes_what_was_planted() -> None:
    found = exploratory.biases(evidence(trained=0.6, frozen=-0.3))
    assert len(found) == 3
    for comparison in found:
        assert medians(comparison) == pytest.approx({"both trained": 0.6, "biases frozen": 0.3}, abs=0.02)


def test_hidden_layers_are_compared_at_the_rates_of_the_finding() -> None:
    found = exploratory.hidden_layers(evidence(hidden=0.4))
    assert [comparison.words.rpartition(" ")[2] for comparison in found] == ["0.02", "0.04"]
    assert all(
        medians(comparison) == pytest.approx({"plain": 0.42, "centred": 0.02}, abs=0.02)
        for comparison in found
    )


def test_losses_are_those_of_the_other_data_set_and_of_units_removed_later() -> None:
    def elsewhere(runs: pd.DataFrame) -> pd.DataFrame:
        later = runs[(runs["experiment"] == "living_100") & (runs["intervention"] == "kill_98")]
        later = later.assign(run="later" + later["run"].str[5:], intervention="kill_90_later")
        runs = pd.concat([runs, later])
        return runs.assign(
            dataset=runs["dataset"].mask(runs["experiment"].str.startswith("living"), "cifar10")
        )

    here = evidence(runs=elsewhere, ten=0.05, two=0.4)
    for comparison in exploratory.living_units(here):
        assert medians(comparison) == pytest.approx({"10 units": 0.05, "2 units": 0.4}, abs=0.03)
    [comparison] = exploratory.removed_later(here)
    assert medians(comparison)["difference"] == pytest.approx(0.35, abs=0.05)


def test_an_experiment_that_a_study_lacks_has_no_comparison() -> None:
    """No convolutional networks, no other data set, and no unit that is removed later are planted."""
    experiments = {comparison.experiment for comparison in exploratory.comparisons(evidence())}
    assert experiments == {"mean_dose", "mean_biases", "mean_hidden"}
