"""C6, C7 and C13: the learning rate and the bias as causes, and a lower rate as a cure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED

RELU_CAUSES = "experiment == 'causes' and activation == 'relu'"


def dead_by(column: str, shares: Mapping[float, float], other: float = 0.0) -> Change:
    """The share of dead units is a function of one factor alone."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        share = runs[column].map(shares).fillna(other)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    return change


def both(*changes: Change) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        for each in changes:
            table = each(table)
        return table

    return change


@pytest.mark.parametrize(("rise", "verdict"), [(0.06, SUPPORTED), (0.04, REFUTED), (-0.2, REFUTED)])
def test_c6_asks_for_a_rise_by_more_than_five_points(rise: float, verdict: str) -> None:
    """From the lowest rate to the highest one at which nothing diverges, whatever happens between."""
    found = settled("C6", runs=dead_by("learning_rate", {0.01: 0.25, 0.1: 0.9, 1.0: 0.25 + rise}))
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(rise)


def test_c6_looks_at_the_bias_nearest_to_zero_of_every_setting() -> None:
    """At other biases every unit is dead, at every rate; in one setting the smallest bias is not 0."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = runs["architecture"] == "cnn"
        bias = runs["initial_bias"].mask(cnn & (runs["initial_bias"] == 0), -0.5)
        share = runs["learning_rate"].map({0.01: 0.0, 0.1: 0.1, 1.0: 0.4}).where(bias > -1, 1.0)
        return runs.assign(initial_bias=bias, dead_fraction=share.where(~runs["diverged"]))

    found = settled("C6", runs=change)
    assert found[["verdict", "note"]].tolist() == [SUPPORTED, ""]
    assert found["effect"] == pytest.approx(0.4)


def test_c6_takes_plain_sgd_from_the_finer_grid_and_relu_networks_only() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        wrong = (runs["activation"] != "relu") | (
            (runs["experiment"] == "optimisers") & (runs["optimiser"] == "sgd")
        )
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(wrong & ~runs["diverged"], 1.0))

    before, after = settled("C6"), settled("C6", runs=change)
    assert after["effect"] == before["effect"]
    runs = SmallEvidence().runs.query("activation == 'relu' and initial_bias == 0")
    sgd = runs.query("experiment == 'causes'")
    others = runs.query("experiment == 'optimisers' and optimiser != 'sgd'")
    assert before["n"] == len(sgd) + len(others)
    assert before["details"]["DivergedShare"] == pytest.approx(1 / 4)


def test_c6_answers_for_every_optimiser() -> None:
    """Under Adam no rate kills, and none diverges."""

    def spared(runs: pd.DataFrame) -> pd.DataFrame:
        adam = (runs["experiment"] == "optimisers") & (runs["optimiser"] == "adam")
        runs = runs[~(adam & runs["diverged"])]
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(adam, 0.0))

    found = settled("C6", runs=spared)
    numbers = found["details"]
    assert found["verdict"] == LIMITED
    assert found["note"] == "holds in 8 of 12 cases; not shown in 4 of 12 cases"
    assert numbers["Adam"] == [0, 0, 0]
    assert numbers["Sgd"][1] > 0.05 < numbers["Momentum"][1]
    assert (numbers["Cases"], numbers["AtEdge"]) == (12, 4)
    assert numbers["Rates"] == "0.01 to 1 (sgd), 0.01 to 1 (momentum) and 0.01 to 1 (adam)"


def test_c6_says_where_safe_rates_end_and_leaves_out_unknown_optimisers() -> None:
    """Momentum diverges at rate 1 on one data set; Adam was not tried, something else was."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        here = (
            (runs["optimiser"] == "momentum") & (runs["dataset"] == "mnist") & (runs["learning_rate"] == 1.0)
        )
        runs = runs.assign(optimiser=runs["optimiser"].replace("adam", "lion"))
        return diverge(runs, here & (runs["replicate"] == 1))

    found = settled("C6", runs=change)["details"]
    assert found["Rates"] == "0.01 to 1 (sgd) and 0.01 to 0.1 or up to 1 (momentum)"
    assert found["Adam"] is None
    assert found["Cases"] == 12


def test_rates_that_make_any_replicate_diverge_do_not_count_as_deadly() -> None:
    """Death at a rate at which one replicate diverged must not change what C6 says."""

    def kill_beside_divergence(runs: pd.DataFrame) -> pd.DataFrame:
        fast = runs["learning_rate"] == 1.0
        return diverge(
            runs.assign(dead_fraction=runs["dead_fraction"].mask(fast, 1.0)), fast & (runs["replicate"] == 0)
        )

    assert settled("C6", runs=kill_beside_divergence)["effect"] < 0.5


def test_c6_pairs_replicates() -> None:
    """Replicates differ much, and all rise alike."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        share = 0.3 * runs["replicate"] + runs["learning_rate"].map({1.0: 0.2}).fillna(0.1)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    found = settled("C6", runs=change)
    assert found[["effect", "low", "high"]].tolist() == pytest.approx([0.1] * 3)


def test_networks_in_which_nothing_dies_refute_c6_and_c7_and_leave_nothing_to_c13() -> None:
    def spared(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(**{name: runs[name] * 0 for name in ("dead_fraction", "died_fraction")})

    assert settled("C6", runs=spared)["verdict"] == settled("C7", runs=spared)["verdict"] == REFUTED
    nothing = settled("C13", runs=spared)
    assert nothing[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, "the study has no case to compare"]


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


RATES = (0.01, 0.1, 1.0)


def shares(*at: float) -> Change:
    """Such a share is dead at each of the three rates at which nothing diverges."""
    return dead_by("learning_rate", dict(zip(RATES, at, strict=True)))


@pytest.mark.parametrize(
    ("change", "verdict", "helps", "hurts"),
    [
        (shares(0.0, 0.0, 0.06), SUPPORTED, 12, 0),
        (shares(0.3, 0.3, 0.36), SUPPORTED, 12, 0),
        (shares(0.3, 0.34, 0.38), SUPPORTED, 12, 0),
        (shares(0.3, 0.35, 0.30), REFUTED, 0, 0),
        (shares(0.36, 0.3, 0.3), REFUTED, 0, 12),
        (shares(0.5, 0.0, 0.5), REFUTED, 12, 12),
        (shares(0.3, 0.3, 0.3), REFUTED, 0, 0),
    ],
)
def test_c13_compares_all_pairs_of_rates(change: Change, verdict: str, helps: int, hurts: int) -> None:
    """A change by five points or less matters neither way; one that helps here and hurts there does both."""
    found = settled("C13", runs=change)
    numbers = found["details"]
    assert (numbers["Settings"], numbers["Helps"], numbers["Hurts"]) == (12, helps, hurts)
    assert numbers["Both"] == min(helps, hurts)
    assert found[["verdict", "note"]].tolist() == [verdict, ""]
    assert found["effect"] == (1 if helps else 0)


def test_c13_asks_settings_in_which_more_than_five_percent_die_at_a_safe_rate() -> None:
    """At bias 0 too few do, at bias -4 enough at the rate at which a replicate diverged; bias -1 is left."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        at = {0.0: 0.04, -1.0: 0.06, -4.0: 1.0}
        share = runs["initial_bias"].map(at).where(runs["learning_rate"] == 1.0, 0.0)
        runs = runs.assign(dead_fraction=share.where(~runs["diverged"]))
        return diverge(
            runs, (runs["initial_bias"] == -4) & (runs["learning_rate"] == 1.0) & (runs["replicate"] == 0)
        )

    found = settled("C13", runs=change)
    assert found["details"]["Settings"] == 4
    assert found["details"]["FewestAt"] == "0.01 at bias -1"
    assert found["n"] == 4 * 3 * 3
    assert found["verdict"] == SUPPORTED


def test_a_higher_rate_that_saves_units_refutes_c13() -> None:
    found = settled("C13", runs=shares(0.99, 0.9, 0.0))
    assert (found["verdict"], found["effect"]) == (REFUTED, 0.0)


def test_a_u_shape_helps_and_hurts_and_refutes_c13() -> None:
    """The lowest and the highest rate are alike, which would say nothing by themselves."""
    found = settled("C13", runs=shares(0.5, 0.0, 0.5))
    numbers = found["details"]
    assert numbers["Helps"] == numbers["Hurts"] == numbers["Both"] == numbers["Settings"] == 12
    assert numbers["FewestAt"] == "0.1 at bias 0, 0.1 at bias -1 and 0.1 at bias -4"
    assert found["verdict"] == REFUTED


def by_bias_and_rate(at: Mapping[float, tuple[float, float, float]]) -> Change:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        wanted = {
            (bias, rate): share for bias, row in at.items() for rate, share in zip(RATES, row, strict=True)
        }
        pairs = zip(runs["initial_bias"], runs["learning_rate"], strict=True)
        share = pd.Series([wanted.get(pair, 0.0) for pair in pairs], runs.index)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    return change


UP, DOWN, FLAT = (0.0, 0.25, 0.5), (0.5, 0.25, 0.0), (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("at", "verdict", "helps", "hurts"),
    [
        ({0.0: UP, -1.0: UP, -4.0: DOWN}, LIMITED, 8, 4),
        ({0.0: UP, -1.0: FLAT, -4.0: FLAT}, LIMITED, 4, 0),
        ({0.0: UP, -1.0: FLAT, -4.0: DOWN}, REFUTED, 4, 4),
        ({0.0: DOWN, -1.0: DOWN, -4.0: UP}, REFUTED, 4, 8),
        ({0.0: UP, -1.0: UP, -4.0: FLAT}, SUPPORTED, 8, 0),
    ],
)
def test_c13_weighs_settings_in_which_a_lower_rate_helps_and_hurts(
    at: Mapping[float, tuple[float, float, float]], verdict: str, helps: int, hurts: int
) -> None:
    found = settled("C13", runs=by_bias_and_rate(at))
    assert (found["verdict"], found["details"]["Helps"], found["details"]["Hurts"]) == (verdict, helps, hurts)
    limit = "not for every cause of death: it depends on the initial bias"
    assert found["note"] == (limit if verdict == LIMITED else "")


def test_c13_is_supported_if_a_lower_rate_helps_in_just_half_of_the_settings() -> None:
    """Of four settings in two, by a hair."""
    at = {0.0: UP, -4.0: FLAT}
    found = settled("C13", runs=lambda t: by_bias_and_rate(at)(t[t["initial_bias"] != -1]))
    assert (found["details"]["Settings"], found["details"]["Helps"]) == (8, 4)
    assert found["verdict"] == SUPPORTED


def test_c13_says_nothing_if_chance_alone_could_have_done_it() -> None:
    """One replicate of three says that a lower rate helps, two that nothing changes."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        rise = (runs["learning_rate"] == 1.0) & (runs["replicate"] < 2)
        share = pd.Series(np.where(rise, 0.9, 0.3), runs.index)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    found = settled("C13", runs=change)
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "no setting shows a sure change in either direction"
    assert found["effect"] == pytest.approx(2 / 3)


def test_c13_names_the_rates_with_fewest_deaths_of_all_settings_of_a_bias() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = shares(0.5, 0.0, 0.5)(runs)["dead_fraction"]
        return shares(0.1, 0.25, 0.5)(runs).assign(
            dead_fraction=lambda t: t["dead_fraction"].mask(t["architecture"] == "cnn", cnn)
        )

    fewest = settled("C13", runs=change)["details"]["FewestAt"]
    assert fewest == "0.01 to 0.1 at bias 0, 0.01 to 0.1 at bias -1 and 0.01 to 0.1 at bias -4"
