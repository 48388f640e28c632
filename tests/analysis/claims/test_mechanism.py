"""C8 and C9: what the update of a unit is, what kills it, and what about its weights decides its death."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, settled

from dying_relu.analysis.claims import NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import NotEnoughData
from dying_relu.analysis.claims.mechanism import deaths
from dying_relu.analysis.inference.attribution import PARTS


def test_a_death_is_split_by_what_moved_the_unit() -> None:
    """As built: a quarter of every fall is due to the bias, and in the first layer the rest to the weights."""
    found = deaths(SmallEvidence())
    assert set(found["optimiser"]) == {"sgd", "adam"}
    assert found["of_fall_by_bias"].to_numpy() == pytest.approx(0.25, abs=1e-5)
    first = found[found["place"] == "first layer"]
    assert (first["largest"] == "by_weights").all()
    by_weights = 0.75 * first["fall"]
    assert (first["enough_by_weights"] == (by_weights >= first["pre_activation_max"])).all()
    assert not first["enough_by_inputs"].any()


def test_deaths_stand_by_depth_and_then_in_the_order_of_the_optimisers() -> None:
    found = deaths(SmallEvidence(runs=lambda t: t.iloc[::-1]))
    order = list(found[["place", "depth", "optimiser"]].drop_duplicates().itertuples(index=False, name=None))
    assert order == [
        ("first layer", 1, "adam"),
        ("first layer", 1, "sgd"),
        ("deeper layers", 2, "adam"),
        ("deeper layers", 2, "sgd"),
    ]
    forwards = deaths(SmallEvidence())["optimiser"].drop_duplicates().tolist()
    assert forwards == ["sgd", "adam"]


def test_deaths_are_those_of_relu_units_from_one_update_to_the_next_of_which_all_parts_are_known() -> None:
    evidence = SmallEvidence()
    units = evidence.units
    units = units[units["experiment"].str.startswith("anatomy")].sort_values("step")
    before = units.groupby(["run", "layer", "unit"])["dead"].shift(1)
    assert len(deaths(evidence)) == (before.eq(False) & units["dead"]).sum()

    def leaky(runs: pd.DataFrame) -> pd.DataFrame:
        slow = runs["experiment"].eq("anatomy") & runs["learning_rate"].eq(0.1)
        return runs.assign(activation=runs["activation"].mask(slow, "leaky_relu"))

    assert "anatomy-0000" in set(deaths(evidence)["run"])
    assert "anatomy-0000" not in set(deaths(SmallEvidence(runs=leaky))["run"])

    def unknown(units: pd.DataFrame) -> pd.DataFrame:
        column = "pre_activation_max_new_weights"
        return units.assign(**{column: units[column].mask((units["depth"] == 2) & (units["unit"] < 6))})

    assert deaths(SmallEvidence(units=unknown)).query("depth == 2")["unit"].min() == 6
    sparse = deaths(SmallEvidence(units=lambda t: t[t["step"] != 3]))
    assert not sparse["step"].isin([2, 3]).any()
    assert len(sparse) < len(deaths(evidence))


def test_the_share_in_a_fall_and_what_was_enough_follow_from_the_parts() -> None:
    found = deaths(SmallEvidence())
    for part in PARTS:
        assert np.allclose(found[f"of_fall_{part}"], found[part] / found["fall"])
        assert (found[f"enough_{part}"] == (found[part] >= found["pre_activation_max"])).all()
    assert np.allclose(found[[f"of_fall_{part}" for part in PARTS]].sum(axis=1), 1)


def test_the_negative_weights_after_a_death_are_those_of_the_next_step() -> None:
    changed = lambda t: t.assign(negative_weights=t["step"] / 100)  # noqa: E731
    found = deaths(SmallEvidence(units=changed))
    assert np.allclose(found["negative_weights_next"], found["step_next"] / 100)
    assert np.allclose(found["negative_weights"], found["step"] / 100)


def test_without_a_death_there_is_nothing_to_split() -> None:
    with pytest.raises(NotEnoughData, match=r"^no unit dies in the experiments 'anatomy\.\.\.'$"):
        deaths(SmallEvidence(units=lambda t: t.assign(dead=False)))


def moving(share: float) -> Change:
    """The weights of such a share of the units move at every update, dead or not; the others never do."""

    def move(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(weight_norm=1.0 + units["step"] * (units["unit"] < share * 12))

    return move


@pytest.mark.parametrize(
    ("share", "verdict", "note"),
    [
        (0.0, REFUTED, "the bias is a parameter with an update of its own"),
        (0.25, REFUTED, "the bias is a parameter with an update of its own"),
        (0.5, NOT_ENOUGH_DATA, "dead on the probe set is not dead on every minibatch here"),
        (0.75, SUPPORTED, ""),
        (1.0, SUPPORTED, ""),
    ],
)
def test_c8_asks_how_many_dead_units_keep_their_weights(share: float, verdict: str, note: str) -> None:
    """All units are dead all the time, and no bias is 0."""
    always = {"dead": True, "inactive": True, "mean_abs_activation": 0.0, "bias": -1.0}
    found = settled("C8", units=lambda t: moving(share)(t.assign(**always)))
    assert found[["verdict", "note"]].tolist() == [verdict, note]
    assert found["effect"] == pytest.approx(1 - share)


def test_c8_counts_updates_of_dead_units_with_a_bias_by_plain_sgd() -> None:
    found, units = settled("C8"), SmallEvidence().units
    units = units[(units["experiment"] == "anatomy") & units["dead"] & (units["bias"] != 0)]
    assert found["details"]["Updates"] == (units["step"] < units["steps"]).sum()
    assert found["n"] == 6
    without = settled("C8", units=lambda t: t.assign(bias=t["bias"].mask(t["unit"] > 0, 0.0)))
    assert (
        without["details"]["Updates"]
        == units["unit"].eq(0).sum() - (units["unit"].eq(0) & (units["step"] == units["steps"])).sum()
    )


def test_c8_follows_units_from_one_update_to_the_very_next() -> None:
    sparse = settled("C8", units=lambda t: t[t["step"] != 6])["details"]["Updates"]
    units = SmallEvidence().units
    units = units[(units["experiment"] == "anatomy") & units["dead"] & (units["bias"] != 0)]
    assert sparse == (~units["step"].isin([5, 6, 12])).sum()


def test_c8_needs_plain_sgd() -> None:
    found = settled("C8", runs=lambda t: t.assign(optimiser=t["optimiser"].replace("sgd", "momentum")))
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "the experiment 'anatomy' has no networks trained by plain SGD"


def test_c8_does_not_ask_other_optimisers() -> None:
    """Of the anatomy's networks those of the faster rate are trained by something else, under which all weights move."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        fast = runs["experiment"].eq("anatomy") & runs["learning_rate"].eq(1.0)
        return runs.assign(optimiser=runs["optimiser"].mask(fast, "momentum"))

    found = settled("C8", runs=change)
    assert found["n"] == 3
    assert found["details"]["Killings"] == settled("C8")["details"]["Killings"]


def test_c8_reports_what_the_bias_had_in_the_updates_that_killed() -> None:
    found, fatal = settled("C8")["details"], deaths(SmallEvidence())
    assert found["Killings"] == len(fatal)
    assert found["BiasOfFall"] == pytest.approx([0.25] * 3)
    enough = fatal.groupby(["stratum", "replicate"])["enough_by_bias"].mean().groupby("stratum").mean().mean()
    assert found["BiasEnough"][0] == pytest.approx(enough)
    assert found["BiasEnough"][1] < found["BiasEnough"][0] < found["BiasEnough"][2]


def test_c8_reports_the_median_death() -> None:
    """Of one unit the whole fall, and a thousand times as much, is the bias's."""

    def exploded(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(bias=units["bias"].mask((units["unit"] == 0) & units["dead"], -1e3))

    assert settled("C8", units=exploded)["details"]["BiasOfFall"] == pytest.approx([0.25] * 3, abs=1e-4)


def test_weights_that_move_with_the_bias_support_the_posts_update() -> None:
    found = settled("C8", units=lambda t: t.assign(weight_norm=t["weight_norm"] + t["step"]))
    assert (found["verdict"], found["effect"]) == (SUPPORTED, 0.0)


def test_without_deaths_step_by_step_the_posts_update_is_settled_all_the_same() -> None:
    """Units that are dead from the start tell the two formulas apart, too."""
    found = settled("C8", units=lambda t: t.assign(dead=True, inactive=True, weight_norm=1.0))
    assert found["verdict"] == REFUTED
    assert set(found["details"]) == {"Updates"}


def born_dead(share: float) -> Change:
    """Such a share of the units is dead all the time."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["unit"] < share * 12
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    return change


@pytest.mark.parametrize(
    ("share", "verdict", "note"),
    [
        (0.25, REFUTED, "the sign of the pre-activation decides, not that of a weight"),
        (0.5, NOT_ENOUGH_DATA, "the interval includes both many and few"),
        (0.75, SUPPORTED, ""),
    ],
)
def test_c9_asks_how_many_units_are_dead_from_the_start(share: float, verdict: str, note: str) -> None:
    found = settled("C9", units=born_dead(share))
    assert found[["verdict", "note"]].tolist() == [verdict, note]
    assert found["effect"] == pytest.approx(share)


def test_networks_that_start_alike_are_counted_once() -> None:
    """Two data sets, two architectures, three replicates of 24 units, whatever the optimiser and the rate."""
    found = settled("C9")
    assert found["details"]["Units"] == 2 * 2 * 3 * 24
    assert found["n"] == 2 * 2 * 3


def test_c9_asks_networks_with_bias_zero_before_the_first_update() -> None:
    """At other biases, and after the first update, all units are dead."""
    biased = set(SmallEvidence().runs.query("initial_bias != 0")["run"])

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = (units["step"] > 0) | units["run"].isin(biased)
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    found = settled("C9", units=change)
    assert (found["effect"], found["details"]["Units"]) == (0, 288)
    nowhere = settled("C9", runs=lambda t: t.assign(initial_bias=t["initial_bias"] - 1))
    assert nowhere["note"] == "the experiment 'recovery' has no initial bias of 0"


def test_c9_pools_over_data_sets_and_architectures() -> None:
    """One network of the four is dead as a whole."""
    here = set(SmallEvidence().runs.query("dataset == 'mnist' and architecture == 'cnn'")["run"])

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["run"].isin(here)
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    assert settled("C9", units=change)[["effect", "low", "high"]].tolist() == [0.25] * 3


@pytest.mark.parametrize(
    ("first", "deeper", "said"),
    [
        (0.3, 0.3, "first layer and deeper layers"),
        (0.3, 0.0, "first layer"),
        (0.04, 0.06, "deeper layers"),
        (0.04, 0.04, ""),
        (-0.3, -0.3, ""),
    ],
)
def test_negative_weights_of_units_that_die_are_reported(first: float, deeper: float, said: str) -> None:
    def turned(units: pd.DataFrame) -> pd.DataFrame:
        excess = np.where(units["depth"] == 1, first, deeper) * units["dead"]
        return units.assign(negative_weights=0.5 + excess)

    found = settled("C9", units=turned)
    assert found["verdict"] == REFUTED
    more = f"; yet dead units have more negative weights ({said})" if said else ""
    assert found["note"] == f"the sign of the pre-activation decides, not that of a weight{more}"
    assert found["details"]["DeadFirst"] == pytest.approx([first] * 3, abs=1e-6)
    assert found["details"]["DeadDeeper"] == pytest.approx([deeper] * 3, abs=1e-6)


def test_dead_units_are_compared_with_living_ones_of_their_layer_at_the_end() -> None:
    """Layers differ much, and so do other checkpoints; within a layer, at the end, all units are alike but for the dead."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        last = units.groupby("run")["step"].transform("max")
        network = units["run"].str[-2:].astype(int) % 10 / 20
        share = (network + 0.1 * units["dead"]).where(units["step"] == last, 1.0 * units["dead"])
        return units.assign(negative_weights=share)

    found = settled("C9", units=change)["details"]
    assert found["DeadFirst"] == pytest.approx([0.1] * 3, abs=1e-6)
    assert found["DeadDeeper"] == pytest.approx([0.1] * 3, abs=1e-6)


def test_the_update_that_kills_is_asked_how_it_turned_the_weights() -> None:
    found = settled("C9", units=lambda t: t.assign(negative_weights=0.5 + 0.25 * t["dead"]))
    assert found["details"]["AtDeath"] == pytest.approx([0.25] * 3)
    still = settled("C9", units=lambda t: t.assign(dead=False))["details"]
    assert set(still) == {"Units"}
