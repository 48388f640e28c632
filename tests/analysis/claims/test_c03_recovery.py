"""C3: recovery is unlikely."""

from itertools import pairwise

import pandas as pd
import pytest
from small_evidence import SmallEvidence, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


def alive_at_the_end(units: pd.DataFrame) -> pd.DataFrame:
    last = units.groupby("run")["step"].transform("max")
    return units.assign(dead=units["dead"] & (units["step"] < last))


def test_units_that_all_return_refute_c3_and_c4() -> None:
    c3, c4 = (settled(claim, units=alive_at_the_end) for claim in ("C3", "C4"))
    assert c3["verdict"] == REFUTED
    assert c3["note"] == "even a unit that is dead on the whole probe set is likely to come back"
    assert c3["details"]["AtTheEnd"] == [1, 1, 1]
    assert (c4["verdict"], c4["effect"]) == (REFUTED, 1.0)
    assert c4["note"] == "dead units come back under every optimiser, at every depth"


@pytest.mark.parametrize("what", ["examples", "minibatches"])
def test_c3_reads_who_woke_at_the_next_checkpoint(what: str) -> None:
    found = settled("C3", units=lambda t: t.assign(**{f"woken_{what}": t[f"woken_{what}"] * 0 + 0.375}))
    name = "PerExample" if what == "examples" else "PerMinibatch"
    assert found["details"][name] == pytest.approx([0.375] * 3)


def test_c3_counts_an_example_as_often_as_units_are_not_active_on_it() -> None:
    """Units that are active on all examples have none to wake on; half of those of the others wake."""

    def half_awake(units: pd.DataFrame) -> pd.DataFrame:
        awake = units["unit"] % 2 == 0
        woken = units["woken_examples"].mask(awake, 1.0).mask(~awake, 0.5)
        return units.assign(
            active_share=(units["active_share"] * 0 + 1).mask(~awake, 0.25),
            woken_examples=woken.where(units["step"] > 0),
        )

    assert settled("C3", units=half_awake)["details"]["PerExample"] == pytest.approx([0.5] * 3)


def test_c3_weighs_units_by_the_examples_that_they_sleep_on() -> None:
    """Of two kinds of units, that sleep on a quarter and on three quarters, the second wake everywhere, the first nowhere."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        much = units["unit"] % 2 == 0
        woken = units["woken_examples"] * 0 + much.astype(float)
        return units.assign(
            active_share=(units["active_share"] * 0 + 0.75).mask(much, 0.25), woken_examples=woken
        )

    assert settled("C3", units=change)["details"]["PerExample"] == pytest.approx([0.75] * 3)


def test_c3_counts_minibatches_as_often_as_a_unit_is_expected_to_sleep_on_them() -> None:
    """Of 16 minibatches of 8 examples; where the chance is next to nothing, on the one there is. Convolutions are not counted."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        much = units["unit"] % 2 == 0
        woken = (units["woken_minibatches"] * 0 + 0.5 * much).mask(units["layer"] == "conv1", 0.9)
        share = (units["active_share"] * 0 + 1 - 1e-9).mask(much, 0.5)
        return units.assign(active_share=share, woken_minibatches=woken.where(units["step"] > 0))

    expected = 16 * 0.5**8 / (1 - (1 - 0.5**8) ** 16)
    found = settled("C3", units=change)["details"]["PerMinibatch"]
    assert found == pytest.approx([0.5 * expected / (1 + expected)] * 3, rel=1e-6)


@pytest.mark.parametrize(
    ("examples", "minibatches", "verdict"),
    [(0.4, 0.4, SUPPORTED), (0.6, 0.4, LIMITED), (0.4, 0.6, LIMITED)],
)
def test_c3_is_supported_if_waking_is_unlikely_however_one_asks(
    examples: float, minibatches: float, verdict: str
) -> None:
    def change(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(
            # Asleep on all or nothing, so that who sleeps on an example sleeps elsewhere too.
            active_share=(units["active_share"] * 0).mask(~units["dead"], 1.0),
            woken_examples=units["woken_examples"] * 0 + examples,
            woken_minibatches=units["woken_minibatches"] * 0 + minibatches,
        )

    found = settled("C3", units=change)
    assert (found["verdict"], found["details"]["AliveElsewhere"]) == (verdict, [0, 0, 0])
    limit = "true of a unit that is negative on every example, not on some"
    assert found["note"] == ("" if verdict == SUPPORTED else limit)


def test_c3_is_limited_if_units_that_sleep_on_an_example_are_active_on_another() -> None:
    """All living units are active on a tenth; the dead are few beside them."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(active_share=(units["active_share"] * 0).mask(~units["dead"], 0.1))

    found = settled("C3", units=change)
    assert found["verdict"] == LIMITED
    assert found["details"]["AliveElsewhere"][1] > 0.5
    assert found["details"]["PerExample"][2] < 0.5


def test_c3_follows_dead_units_to_the_next_checkpoint_and_to_the_end() -> None:
    found, units = settled("C3"), SmallEvidence().relu_units("recovery").sort_values("step")
    dead = units.pivot_table(
        index=["stratum", "replicate", "run", "layer", "unit"], columns="step", values="dead"
    )
    dead = dead.astype(bool)
    steps = list(dead.columns)
    pairs = pd.concat(
        [dead.loc[dead[before], [after]].rename(columns={after: "dead"}) for before, after in pairwise(steps)]
    )
    until = pd.concat(
        [dead.loc[dead[before], [steps[-1]]].rename(columns={steps[-1]: "dead"}) for before in steps[:-1]]
    )
    for counted, share in ((pairs, found["effect"]), (until, found["details"]["AtTheEnd"][0])):
        alive = 1 - counted["dead"].groupby(["stratum", "replicate"]).mean()
        assert share == pytest.approx(alive.groupby("stratum").mean().mean())
    assert found["n"] == units["run"].nunique()


def test_c3_says_nothing_if_half_of_the_dead_return() -> None:
    def change(units: pd.DataFrame) -> pd.DataFrame:
        last = units.groupby("run")["step"].transform("max")
        dead = (units["step"] < last) | (units["unit"] % 2 == 0)
        return units.assign(dead=dead, inactive=dead)

    found = settled("C3", units=change)
    assert found["details"]["AtTheEnd"] == pytest.approx([0.5] * 3)
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "the interval includes both likely and unlikely"
