"""C7: a large negative bias, as a start and as a course."""

import pandas as pd
import pytest
from claim_changes import dead_by
from small_evidence import SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, REFUTED, SUPPORTED

RELU_CAUSES = "experiment == 'causes' and activation == 'relu'"


@pytest.mark.parametrize(("rise", "verdict"), [(0.06, LIMITED), (0.04, REFUTED)])
def test_c7_asks_for_a_rise_from_the_bias_nearest_to_zero_to_the_most_negative(
    rise: float, verdict: str
) -> None:
    """Limited, because in the synthetic study the bias does not make the major part of a fall."""
    found = settled("C7", runs=dead_by("initial_bias", {0.0: 0.25, -1.0: 0.9, -4.0: 0.25 + rise}))
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(rise)
    assert found["details"]["Trend"] == "rises"
    assert found["details"]["MostNegative"] == -4


def test_c7_looks_at_the_lowest_rate_of_every_setting() -> None:
    """At which no bias kills; on CIFAR-10 it was not run, and the next one kills."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = runs[(runs["learning_rate"] != 0.01) | (runs["dataset"] != "cifar10")]
        lowest = runs["dataset"].map({"mnist": 0.01, "cifar10": 0.1})
        share = (-runs["initial_bias"] / 8).where(runs["learning_rate"] == lowest, 1.0)
        return runs.assign(dead_fraction=share.mask(lowest == 0.01, 0.0).where(~runs["diverged"]))

    found = settled("C7", runs=change)
    assert found["verdict"] == LIMITED
    assert (
        found["note"]
        == "holds in cifar10 cnn sgd and cifar10 mlp sgd; not shown in mnist cnn sgd and mnist mlp sgd"
    )
    assert found["effect"] == pytest.approx(0.25)
    assert found["n"] == len(SmallEvidence().runs.query(RELU_CAUSES)) // 4


def test_c7_does_not_ask_positive_biases_unless_they_are_nearest_to_zero() -> None:
    """Where 0 was not tried, the comparison begins at 1/2; a bias of 3 is no more negative than that."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        bias = runs["initial_bias"].replace({0.0: 0.5, -1.0: 3.0})
        share = bias.map({0.5: 0.1, 3.0: 0.9, -4.0: 0.4})
        return runs.assign(initial_bias=bias, dead_fraction=share.where(~runs["diverged"]))

    assert settled("C7", runs=change)["effect"] == pytest.approx(0.3)


def test_c7_leaves_out_biases_at_which_a_replicate_diverged() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = dead_by("initial_bias", {0.0: 0.0, -1.0: 0.25, -4.0: 1.0})(runs)
        return diverge(runs, (runs["initial_bias"] == -4) & (runs["replicate"] == 2) & ~runs["diverged"])

    found = settled("C7", runs=change)
    assert found["effect"] == pytest.approx(0.25)
    assert found["n"] == 2 * len(SmallEvidence().runs.query(RELU_CAUSES)) // 12


def by_bias(units: pd.DataFrame) -> pd.DataFrame:
    """The bias makes the whole fall of every unit."""
    highest = units["pre_activation_max"]
    before = highest.groupby([units[name] for name in ("run", "layer", "unit")]).shift(1)
    unmoved = {f"pre_activation_max_new_{what}": before for what in ("weights", "inputs")}
    return units.assign(bias=highest, **unmoved)


def test_the_bias_is_blamed_where_it_makes_the_whole_fall() -> None:
    found = settled("C7", units=by_bias)
    assert found[["verdict", "note"]].tolist() == [SUPPORTED, ""]
    assert found["details"]["BiasPart"] == found["details"]["BiasLargest"] == [1, 1, 1]
    assert found["details"]["WeightsPart"] == found["details"]["InputsPart"] == [0, 0, 0]


def test_where_a_negative_start_kills_nobody_the_course_does_not_matter() -> None:
    found = settled("C7", units=by_bias, runs=dead_by("initial_bias", {}))
    assert found[["verdict", "note"]].tolist() == [REFUTED, ""]
    assert found["details"]["Trend"] == "does not clearly change"


def test_the_bias_is_not_blamed_for_a_smaller_part_of_the_fall() -> None:
    """In the synthetic study a quarter; the rest is the weights' in the first layer, theirs and the inputs' above it."""
    found = settled("C7")
    assert found["note"] == (
        "as an initial value; in units that die while training the bias does not make the major part of the fall"
    )
    numbers = found["details"]
    assert numbers["BiasPart"] == pytest.approx([0.25] * 3, abs=1e-4)
    assert numbers["BiasLargest"] == [0, 0, 0]
    assert numbers["WeightsPart"][1] > 0.375 > 0.3 > numbers["InputsPart"][0] > 0
    deaths = SmallEvidence().since("recovery").query("died")
    assert numbers["Deaths"] == len(deaths)


def test_a_few_explosions_do_not_change_what_kills() -> None:
    """In the synthetic study a quarter of each fall is the bias's; of one unit in fifty it is ten thousandfold."""

    def exploded(units: pd.DataFrame) -> pd.DataFrame:
        few = (units["unit"] == 0) & (units["layer"] == "linear2") & (units["step"] == 64)
        return units.assign(bias=units["bias"].mask(few, -1e5))

    before, after = settled("C7")["details"], settled("C7", units=exploded)["details"]
    assert after["BiasPart"] == pytest.approx(before["BiasPart"], abs=1e-4)
    assert before["Deaths"] == after["Deaths"] > 0


def test_without_recorded_units_c7_says_that_it_did_not_look_at_their_course() -> None:
    found = settled("C7", SmallEvidence(experiments=("causes",)))
    assert found["verdict"] == LIMITED
    assert found["note"] == (
        "as an initial value; its course was not measured: the study has no experiment 'recovery'"
    )
    assert set(found["details"]) == {"Trend", "MostNegative"}
