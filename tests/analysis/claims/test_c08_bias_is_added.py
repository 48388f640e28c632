"""C8: the update of a weight."""

import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, settled

from dying_relu.analysis.claims import NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.deaths import deaths


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
