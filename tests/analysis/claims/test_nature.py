"""C1 to C5: what a dead unit is, whether it comes back, and how much of a network it takes."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from small_evidence import Change, SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import DEAD
from dying_relu.stack.activations import ACTIVATIONS


def test_relu_is_compared_with_the_maximum_on_numbers_of_every_size_and_both_signs() -> None:
    found = settled("C1")
    assert found[["verdict", "effect", "low", "high", "n"]].tolist() == [SUPPORTED, 0, 0, 0, 0]
    assert found["details"]["Values"] > 800_000


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda z, slope: z.relu() + (z > 3e38), 0),  # lost in rounding
        (lambda z, slope: torch.where((z > -1e-30) & (z < 0), z, z.relu()), 1e-30),
        (lambda z, slope: torch.where(z > 1e30, z * 0.5, z.relu()), 1.7e38),
        (lambda z, slope: torch.where(z == 0, 1e-3, z.relu()), 1e-3),
    ],
)
def test_a_relu_that_is_wrong_anywhere_refutes_c1(
    wrong: Callable, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "relu", dataclasses.replace(ACTIVATIONS["relu"], function=wrong))
    found = settled("C1")
    assert found["verdict"] == (REFUTED if error else SUPPORTED)
    assert found["effect"] == found["low"] == found["high"] == pytest.approx(error, rel=0.02)


def half_dead(runs: pd.DataFrame) -> pd.DataFrame:
    """Of every network's 24 units 12 are dead, on training examples and on held-out ones."""
    half = (runs["dead_fraction"] * 0).fillna(0) + 0.5
    return runs.assign(
        dead_fraction=half.where(~runs["diverged"]), dead_fraction_test=half.where(~runs["diverged"])
    )


@pytest.mark.parametrize(
    ("woken", "verdict", "note"),
    [
        (lambda runs: 0, SUPPORTED, "on the examples that were tried"),
        (
            lambda runs: (runs["initial_bias"] == 0) & (runs["learning_rate"] == 0.01),
            LIMITED,
            "for nearly any input: held-out examples wake some units",
        ),
        (lambda runs: 1, REFUTED, ""),
        (
            lambda runs: 2 * (runs["replicate"] == 0),
            NOT_ENOUGH_DATA,
            "the interval includes both few and many such units",
        ),
    ],
)
def test_c2_asks_how_many_units_that_are_dead_on_training_examples_others_wake(
    woken: Callable[[pd.DataFrame], pd.Series], verdict: str, note: str
) -> None:
    """Of 12 dead units in each network none wakes, one in a ninth of the networks, one in all, two in a third."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = half_dead(runs)
        return runs.assign(dead_on_both_fraction=runs["dead_fraction"] - woken(runs) / 24)

    found = settled("C2", runs=change)
    assert found[["verdict", "note"]].tolist() == [verdict, note]


def test_units_that_wake_on_test_examples_refute_c2() -> None:
    """Even where the counts on both probe sets are the same."""
    found = settled(
        "C2",
        runs=lambda t: t.assign(
            dead_fraction_test=t["dead_fraction"], dead_on_both_fraction=0 * t["dead_fraction"]
        ),
    )
    assert (found["verdict"], found["effect"]) == (REFUTED, 1.0)


def test_c2_counts_units_of_relu_networks_of_one_experiment_that_did_not_diverge() -> None:
    found, runs = settled("C2", runs=half_dead), SmallEvidence().runs
    asked = runs[(runs["experiment"] == "causes") & (runs["activation"] == "relu") & ~runs["diverged"]]
    assert found["n"] == len(asked)
    assert found["details"]["DeadOnTrain"] == found["details"]["DeadOnTest"] == 12 * len(asked)


def test_c2_weighs_networks_by_their_dead_units() -> None:
    """Of 6 dead units 3 wake in one network of each replicate, of 12 none in the others: 3 of 6 + 12 k."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        small = (runs["learning_rate"] == 0.01) & (runs["initial_bias"] == 0)
        dead = half_dead(runs)["dead_fraction"].mask(small & ~runs["diverged"], 0.25)
        return runs.assign(
            dead_fraction=dead, dead_fraction_test=dead, dead_on_both_fraction=dead.mask(small, 0.125)
        )

    found = settled("C2", runs=change)
    assert found["effect"] == pytest.approx(3 / (6 + 8 * 12))
    assert found["details"]["Reverse"][0] == pytest.approx(3 / (6 + 8 * 12))


def test_c2_names_what_sampling_does_and_asks_mlps_and_cnns_apart() -> None:
    """Half of the units that are dead on a set of examples are alive on the other set, in CNNs only."""

    def in_half(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["architecture"] == "cnn"
        both = runs["dead_fraction"].where(~here, (runs["dead_fraction"] * 12).round() / 24)
        return runs.assign(dead_fraction_test=runs["dead_fraction"], dead_on_both_fraction=both)

    found = settled("C2", runs=in_half)["details"]
    assert found["Mlp"] == [0, 0, 0]
    assert found["Cnn"][0] == pytest.approx(0.5, abs=0.02)
    assert found["Reverse"][0] == pytest.approx(0.25, abs=0.02)
    assert found["Sampling"] == "most"


@pytest.mark.parametrize(
    ("train", "both", "test", "said"),
    [(12, 10, 13, "most"), (12, 10, 11, "most"), (11, 8, 9, "a part"), (12, 10, 10, "a part")],
)
def test_what_drawing_examples_does_is_most_of_it_from_one_half_on(
    train: int, both: int, test: int, said: str
) -> None:
    """So many of 24 units are dead on training examples, on both sets, and on held-out ones."""
    dead = {"dead_fraction": train, "dead_on_both_fraction": both, "dead_fraction_test": test}

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        shares = {name: pd.Series(count / 24, runs.index) for name, count in dead.items()}
        return runs.assign(**{name: share.where(~runs["diverged"]) for name, share in shares.items()})

    found = settled("C2", runs=change)
    assert found["effect"] == pytest.approx((train - both) / train)
    assert found["details"]["Reverse"][0] == pytest.approx((test - both) / test)
    assert found["details"]["Sampling"] == said


def test_c2_has_no_answer_by_a_definition_that_was_not_asked_of_each_unit() -> None:
    found = settled("C2", SmallEvidence(definition=DEAD._replace(of_both=None)))
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "this definition is not recorded of single units on both probe sets"


def test_c2_reports_the_units_of_recovery_apart() -> None:
    """There, half of the dead units wake; nothing else does."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = half_dead(runs)
        share = runs["dead_fraction"].mask(runs["experiment"] == "recovery", 0.25)
        return runs.assign(dead_on_both_fraction=share.where(~runs["diverged"]))

    found = settled("C2", runs=change)
    assert found["effect"] == 0
    assert found["details"]["Recovery"] == pytest.approx([0.5] * 3)


def test_a_study_that_records_no_units_still_settles_c2() -> None:
    found = settled("C2", SmallEvidence(experiments=("causes",)))
    assert found["effect"] > 0
    assert found["details"]["Recovery"] is None


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


def renamed(optimiser: str) -> Change:
    return lambda runs: runs.assign(optimiser=runs["optimiser"].replace("adam", optimiser))


NAMES = {
    "sgd_weight_decay": "SgdDecay",
    "momentum": "Momentum",
    "momentum_weight_decay": "MomentumDecay",
}


@pytest.mark.parametrize("optimiser", NAMES)
def test_c4_reports_every_optimiser_by_itself(optimiser: str) -> None:
    before, after = settled("C4")["details"], settled("C4", runs=renamed(optimiser))["details"]
    assert before["SgdFirst"] == 0 < before["SgdDeeper"]
    assert before["AdamFirst"] >= 0 < before["AdamDeeper"]
    for layers in ("First", "Deeper"):
        assert before[f"{NAMES[optimiser]}{layers}"] is None
        assert after[f"{NAMES[optimiser]}{layers}"] == before[f"Adam{layers}"]
        assert after[f"Adam{layers}"] is None


def test_c4_asks_who_was_ever_dead_and_alive_later() -> None:
    found, units = settled("C4"), SmallEvidence().relu_units("recovery").sort_values("step")
    shares = []
    for _, group in units.groupby(["stratum", "replicate"]):
        lives = [life["dead"].tolist() for _, life in group.groupby(["run", "layer", "unit"])]
        shares.append(np.mean([not all(life[life.index(True) :]) for life in lives if any(life)]))
    assert found["effect"] == pytest.approx(np.mean(shares))
    assert found["n"] == units["run"].nunique()


def test_c4_holds_in_the_first_layer_only() -> None:
    found = settled("C4")
    assert found["verdict"] == LIMITED
    assert found["note"].startswith("for ever with sgd, first layer")
    assert found["note"].endswith("; not shown elsewhere")


def test_units_that_never_return_support_c4() -> None:
    def for_ever(units: pd.DataFrame) -> pd.DataFrame:
        dead = units.sort_values("step").groupby(["run", "layer", "unit"])["dead"].cummax()
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    found = settled("C4", units=for_ever)
    assert found[["verdict", "note", "effect"]].tolist() == [SUPPORTED, "", 0]


def test_a_study_in_which_nobody_dies_says_nothing_on_c4() -> None:
    found = settled("C4", units=lambda t: t.assign(dead=False))
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "no depth under any optimiser has dead units in enough replicates"


def test_a_dead_unit_with_an_output_refutes_c4() -> None:
    found = settled("C4", units=lambda t: t.assign(mean_abs_activation=t["mean_abs_activation"] + 1e-9))
    assert (found["verdict"], found["note"]) == (REFUTED, "a dead unit had an output other than zero")


def test_units_that_keep_bias_and_weights_are_frozen_and_those_of_which_one_moved_are_not() -> None:
    before = settled("C4")["details"]
    assert before["FrozenIntervals"] > 0
    assert before["FrozenRevivals"] == before["DecayIntervals"] == 0
    for moved in ("bias", "weight_norm"):
        after = settled("C4", units=lambda t, moved=moved: t.assign(**{moved: t[moved] + t["step"]}))[
            "details"
        ]
        assert after["FrozenIntervals"] == 0


def first_layer_of_sgd(units: pd.DataFrame) -> pd.DataFrame:
    """The units of plain SGD's first layers, of which each interval between checkpoints is one."""
    runs = SmallEvidence().runs
    here = runs[(runs["experiment"] == "recovery") & (runs["optimiser"] == "sgd")]["run"]
    return units[units["run"].isin(here) & (units["depth"] == 1)]


def test_frozen_intervals_begin_with_a_dead_unit_of_the_first_layer() -> None:
    """Where nothing moves, all intervals of dead units are frozen, and those after which it is alive are revivals."""

    def still(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["step"].isin([1, 4])
        return units.assign(bias=-1.0, weight_norm=2.0, dead=dead, inactive=dead, mean_abs_activation=0.0)

    units = first_layer_of_sgd(SmallEvidence().units)
    count = len(units) // units["step"].nunique()
    found = settled("C4", units=still)["details"]
    assert (found["FrozenIntervals"], found["FrozenRevivals"]) == (2 * count, count)


def decayed(factor: float) -> Change:
    def decay(units: pd.DataFrame) -> pd.DataFrame:
        left = 0.99 ** units["step"].clip(upper=16)
        return units.assign(bias=units["bias"] * left, weight_norm=units["weight_norm"] * left**factor)

    return decay


def under_decay(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(optimiser=runs["optimiser"].replace("sgd", "sgd_weight_decay"))


def test_weight_decay_shrinks_bias_and_weights_together() -> None:
    before = settled("C4")["details"]
    after = settled("C4", runs=under_decay, units=decayed(1.0))["details"]
    assert after["DecayIntervals"] == before["FrozenIntervals"]
    assert after["DecayRevivals"] == after["FrozenIntervals"] == 0


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_bias_and_weights_that_shrink_apart_are_not_weight_decay(size: float) -> None:
    def of_size(change: Change) -> Change:
        return lambda t: change(t).assign(weight_norm=lambda t: size * t["weight_norm"])

    apart, together = (
        settled("C4", runs=under_decay, units=of_size(decayed(factor)))["details"]["DecayIntervals"]
        for factor in (1.1, 1.0)
    )
    assert 0 < apart < together


def test_networks_that_cannot_be_pruned_are_not_counted() -> None:
    def unprunable(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = runs["architecture"] == "cnn"
        return runs.assign(
            pruned_difference=runs["pruned_difference"].mask(cnn),
            pruned_answers=runs["pruned_answers"].mask(cnn),
        )

    before = settled("C4")["details"]["PrunedNetworks"]
    assert 0 < settled("C4", runs=unprunable)["details"]["PrunedNetworks"] < before


def test_pruning_is_told_of_relu_networks_with_dead_units_in_the_whole_study() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        asked = (runs["activation"] == "relu") & (runs["dead_fraction"] > 0)
        return runs.assign(
            pruned_difference=runs["pruned_difference"]
            .mask(asked, 0.25)
            .mask(~asked & ~runs["diverged"], 9.0),
            pruned_answers=runs["pruned_answers"].mask(asked, 0.125).mask(~asked & ~runs["diverged"], 1.0),
        )

    runs = SmallEvidence().runs
    found = settled("C4", runs=change)["details"]
    dead = (runs["activation"] == "relu") & ~runs["diverged"] & (runs["dead_fraction"] > 0)
    assert found["PrunedNetworks"] == dead.sum()
    assert (found["PrunedDifference"], found["PrunedAnswers"]) == (0.25, 0.125)


def worst_at(rate: float, share: float) -> Change:
    """Of the units of ReLU networks such a share dies at one rate, and a fortieth at others."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        died = pd.Series(np.where(runs["learning_rate"] == rate, share, 1 / 40), runs.index)
        return runs.assign(died_fraction=died.where(~runs["diverged"]))

    return change


@pytest.mark.parametrize(("share", "verdict"), [(0.3, SUPPORTED), (0.2, REFUTED)])
def test_c5_asks_how_many_units_die_in_the_worst_setting(share: float, verdict: str) -> None:
    found = settled("C5", runs=worst_at(0.1, share))
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(share)
    assert found["details"]["RunsWithMany"] == pytest.approx(1 / 3 if share > 0.25 else 0)


def test_c5_leaves_out_settings_of_which_a_replicate_diverged() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = worst_at(1.0, 0.9)(runs)
        return diverge(runs, (runs["learning_rate"] == 1.0) & (runs["replicate"] == 0))

    found, runs = settled("C5", runs=change), SmallEvidence().runs
    assert found["verdict"] == REFUTED
    asked = runs[(runs["experiment"] == "causes") & (runs["activation"] == "relu")]
    assert found["n"] == asked["learning_rate"].isin([0.01, 0.1]).sum()


def test_c5_compares_the_setting_with_most_deaths_with_the_most_accurate_one() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = worst_at(0.1, 0.5)(runs)
        trained = ~runs["diverged"]
        best = (runs["learning_rate"] == 0.01) & (runs["initial_bias"] == 0)
        accuracy = pd.Series(0.5, runs.index).mask(runs["learning_rate"] == 0.1, 0.25).mask(best, 0.75)
        return runs.assign(
            test_accuracy=accuracy.where(trained), effective_rank=(8 * accuracy).where(trained)
        )

    found = settled("C5", runs=change)["details"]
    assert [found[name] for name in ("AccuracyWorst", "AccuracyBest", "RankWorst", "RankBest")] == [
        0.25,
        0.75,
        2,
        6,
    ]


def test_c5_correlates_dead_units_with_what_is_lost() -> None:
    """Rank is the share of live units in the synthetic study, and accuracy falls with the stuck ones."""
    found = settled("C5")["details"]
    assert found["RankCorrelation"] == [-1, -1, -1]
    assert -1 <= found["AccuracyCorrelation"][0] < -0.9


def test_c5_correlates_ranks_and_not_sizes() -> None:
    found = settled("C5", runs=lambda t: t.assign(effective_rank=t["dead_fraction"] ** 9))["details"]
    assert found["RankCorrelation"] == [1, 1, 1]


def test_c5_has_no_correlation_with_a_constant() -> None:
    found = settled("C5", runs=lambda t: t.assign(effective_rank=t["effective_rank"] * 0 + 1))["details"]
    assert found["RankCorrelation"] is None
    assert found["AccuracyCorrelation"] is not None


def test_networks_in_which_nothing_dies_refute_c5() -> None:
    assert settled("C5", runs=lambda t: t.assign(died_fraction=t["died_fraction"] * 0))["verdict"] == REFUTED


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t: diverge(t, ~t["diverged"]), "every setting diverged"),
        (
            lambda t: t.assign(died_fraction=float("nan")),
            "how many units are dead by this definition was not measured before training",
        ),
    ],
)
def test_c5_says_what_is_missing(change: Change, note: str) -> None:
    found = settled("C5", runs=change)
    assert found[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, note]
