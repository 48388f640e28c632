"""C10, C11 and C12: the leaky ReLU against the other remedies, how small its slope may be, and learning it."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


def accurate(accuracy: Callable[[pd.DataFrame], pd.Series | float]) -> Change:
    """Of the networks that did not diverge."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(
            test_accuracy=(accuracy(runs) + 0 * runs["learning_rate"]).where(~runs["diverged"])
        )

    return change


def by_activation(accuracies: Mapping[str, float], other: float) -> Change:
    return accurate(lambda runs: runs["activation"].map(accuracies).fillna(other))


LEFT_OPEN = "the interval includes both a gain over ReLU and none"


@pytest.mark.parametrize(
    ("accuracies", "verdict", "note"),
    [
        ({"relu": 0.5, "leaky_relu": 0.9}, SUPPORTED, "how common it is was not tested"),
        ({"relu": 0.5, "leaky_relu": 0.8, "elu": 0.805}, SUPPORTED, "how common it is was not tested"),
        (
            {"relu": 0.5, "leaky_relu": 0.8, "elu": 0.82},
            LIMITED,
            "it helps, but was not shown to be as good as the best other remedy",
        ),
        ({"relu": 0.5, "leaky_relu": 0.505}, REFUTED, ""),
        ({"relu": 0.5, "leaky_relu": 0.4}, REFUTED, ""),
    ],
)
def test_c10_compares_leaky_relu_with_relu_and_with_the_best_other_remedy(
    accuracies: Mapping[str, float], verdict: str, note: str
) -> None:
    found = settled("C10", runs=by_activation(accuracies, 0.5))
    assert found[["verdict", "note"]].tolist() == [verdict, note]
    assert found["details"]["GainOverRelu"] == pytest.approx([accuracies["leaky_relu"] - 0.5] * 3)
    # Leaky ReLU with another initialisation is a remedy, too, and as good.
    assert found["effect"] == pytest.approx(accuracies["leaky_relu"] - max(accuracies.values()))


def test_c10_is_left_open_where_replicates_disagree() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        gain = runs["replicate"].map({0: 0.09, 1: -0.03, 2: -0.03})
        return accurate(lambda t: 0.5 + gain * (t["activation"] == "leaky_relu"))(runs)

    found = settled("C10", runs=change)
    assert found[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, LEFT_OPEN]


@pytest.mark.parametrize(("penalty", "verdict"), [(0.2, LIMITED), (1.0, REFUTED)])
def test_a_leaky_relu_that_does_worse_limits_or_refutes_c10(penalty: float, verdict: str) -> None:
    def penalised(runs: pd.DataFrame) -> pd.DataFrame:
        leaky = runs["activation"] == "leaky_relu"
        return runs.assign(test_accuracy=(runs["test_accuracy"] - penalty * leaky).clip(lower=0))

    assert settled("C10", runs=penalised)["verdict"] == verdict


def leaky_diverges(runs: pd.DataFrame) -> pd.DataFrame:
    return diverge(runs, (runs["activation"] == "leaky_relu") & (runs["experiment"] == "remedies"))


def test_a_leaky_relu_that_diverges_scores_as_a_constant_answer() -> None:
    found = settled("C10", runs=lambda t: leaky_diverges(by_activation({}, 0.5)(t)))
    assert found["verdict"] == REFUTED
    assert found["details"]["GainOverRelu"] == pytest.approx([0.1 - 0.5] * 3)


def test_a_constant_answer_is_right_once_in_a_hundred_times_on_cifar100() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = leaky_diverges(by_activation({}, 0.5)(runs))
        return runs.assign(dataset=runs["dataset"].replace("cifar10", "cifar100"))

    found = settled("C10", runs=change)
    assert found["details"]["GainOverRelu"][0] == pytest.approx((0.01 + 0.1) / 2 - 0.5)
    assert found["details"]["WorstGap"] == pytest.approx(0.01 - 0.5)
    assert found["details"]["BestGap"] == pytest.approx(0.1 - 0.5)


def with_dead(share: Callable[[pd.DataFrame], pd.Series]) -> Change:
    """Of ReLU networks such a share of the units is dead."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["activation"] == "relu") & ~runs["diverged"]
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(here, share(runs)))

    return change


@pytest.mark.parametrize(("share", "settings"), [(0.25, 8), (0.2, 4)])
def test_c10_asks_settings_in_which_a_quarter_of_relus_units_is_dead(share: float, settings: int) -> None:
    found = settled("C10", runs=with_dead(lambda t: t["dataset"].map({"mnist": 0.5, "cifar10": share})))
    assert found["details"]["DoomedSettings"] == settings
    assert found["n"] == 408 * settings / 8


def test_a_relu_that_diverges_is_doomed() -> None:
    """On MNIST one of three replicates diverges, and no unit is dead otherwise."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = with_dead(lambda t: 0 * t["learning_rate"])(runs)
        here = (
            runs["experiment"].eq("remedies")
            & runs["activation"].eq("relu")
            & runs["initialisation"].eq("he")
        )
        return diverge(runs, here & runs["dataset"].eq("mnist") & runs["replicate"].eq(0))

    assert settled("C10", runs=change)["details"]["DoomedSettings"] == 4


def test_c10_needs_a_relu_that_dies_and_a_remedy_to_compare_with() -> None:
    alive = settled("C10", runs=with_dead(lambda t: 0 * t["learning_rate"]))
    assert alive[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, "ReLU dies in none of its settings"]

    def only(*activations: str) -> Change:
        return lambda t: t[
            (t["experiment"] != "remedies_training")
            & (t["activation"].isin(activations) & t["initialisation"].eq("he") & t["learning_rate"].eq(1.0))
        ]

    for present in (("relu", "leaky_relu"), ("relu", "elu", "selu")):
        found = settled("C10", runs=only(*present))
        assert found["note"] == "leaky ReLU, ReLU and another remedy are needed"
    assert settled("C10", runs=only("relu", "leaky_relu", "elu"))["details"]["Remedies"] == "1"


def test_the_best_other_remedy_is_chosen_in_each_setting_by_its_mean() -> None:
    """ELU is best at the low rate, SELU at the high one; in single replicates another is."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        slow = runs["learning_rate"] == 0.01
        score = runs["activation"].map({"relu": 0.2, "leaky_relu": 0.8, "elu": 0.6, "selu": 0.6}).fillna(0.4)
        score = score.mask((runs["activation"] == "elu") & slow, 0.7)
        score = score.mask((runs["activation"] == "selu") & ~slow, 0.9)
        score = score.mask((runs["activation"] == "tanh") & (runs["replicate"] == 0), 0.95)
        return accurate(lambda t: score)(runs[runs["initialisation"] == "he"])

    found = settled("C10", runs=change)["details"]
    assert set(found["BestOther"].split(" and ")) == {"ELU", "SELU"}
    assert (found["WorstGap"], found["BestGap"]) == pytest.approx((-0.1, 0.1))


def test_at_most_two_best_remedies_are_named_the_most_frequent_first() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        place = runs["dataset"] + runs["architecture"].str[:3] + runs["learning_rate"].astype(str)
        best = {
            "mnistmlp0.01": "elu",
            "mnistcnn0.01": "selu",
            "cifar10mlp0.01": "selu",
            "mnistmlp1.0": "gelu",
        }
        here = runs["activation"] == place.map(best).fillna("tanh")
        return accurate(lambda t: 0.2 + 0.5 * here)(runs[runs["initialisation"] == "he"])

    assert settled("C10", runs=change)["details"]["BestOther"] == "tanh and SELU"


def test_the_best_other_remedy_is_one_of_those_that_are_not_leaky() -> None:
    """Six other activations, of which each, and leaky ReLU and ReLU, also has the default initialisation; clipping, a lower rate."""
    found = settled("C10")["details"]
    assert found["Remedies"] == "15 to 16"
    assert found["WorstGap"] <= found["BestGap"]


def test_a_lower_rate_can_be_the_best_other_remedy() -> None:
    def saved(runs: pd.DataFrame) -> pd.DataFrame:
        slow = (runs["learning_rate"] == 0.01) & (runs["activation"] == "relu")
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(slow & ~runs["diverged"], 0.99))

    assert "lower rate (0.01)" in settled("C10", runs=saved)["details"]["BestOther"]


def by_slope(accuracies: Mapping[float, float], other: float = 0.2) -> Change:
    """Accuracy of fixed slopes; that of ReLU, slope 0, is 0.2 if it is not told."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        known = runs["activation"].isin(["relu", "leaky_relu"])
        return accurate(lambda t: t["slope"].map({0.0: 0.2} | accuracies).where(known).fillna(other))(runs)

    return change


@pytest.mark.parametrize(
    ("tiny", "verdict"),
    [(0.7, SUPPORTED), (0.55, SUPPORTED), (0.45, REFUTED), (0.2, REFUTED), (0.1, REFUTED)],
)
def test_c11_asks_whether_a_tiny_slope_gains_half_of_what_the_best_gains(tiny: float, verdict: str) -> None:
    found = settled("C11", runs=by_slope({1e-4: tiny, 1e-3: 0.3, 1e-2: 0.8, 0.1: 0.8, 0.3: 0.75, 1.0: 0.7}))
    assert found[["verdict", "note"]].tolist() == [verdict, ""]
    assert found["effect"] == pytest.approx((tiny - 0.2) / 0.6)
    assert found["details"]["Gain"] == pytest.approx(0.6)
    assert found["details"]["BestSlope"] == "0.01"
    assert found["details"]["SmallestEnough"] == ("0.0001" if tiny > 0.5 else "0.01")


def test_c11_names_the_best_slope_of_every_setting_and_the_mean_gain() -> None:
    """On CIFAR-10 a large slope gains twice as much."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-4: 0.25, 1e-2: 0.5, 0.3: 0.4})(runs)["test_accuracy"]
        cifar = by_slope({1e-4: 0.25, 1e-2: 0.4, 0.3: 0.8})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)["details"]
    assert found["BestSlope"] == "0.01 and 0.3"
    assert found["Gain"] == pytest.approx((0.3 + 0.6) / 2)
    assert found["SmallestEnough"] == "0.01"


def test_c11_asks_only_where_there_is_something_to_rescue() -> None:
    """On CIFAR-10 no slope is more than a point better than ReLU; there a tiny one gains nothing of it."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-4: 0.6, 1e-2: 0.8})(runs)["test_accuracy"]
        cifar = by_slope({1e-4: 0.2, 1e-2: 0.205})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)
    assert found["verdict"] == SUPPORTED
    assert found["effect"] == pytest.approx(4 / 6)
    assert found["details"]["Gain"] == pytest.approx(0.6)
    assert found["n"] == 84


def test_c11_pairs_replicates_and_scores_divergence() -> None:
    """Replicates differ much, all gain alike; where a tiny slope diverges it answers as a constant does."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = by_slope({1e-4: 0.5, 1e-2: 0.6})(runs)
        return runs.assign(test_accuracy=runs["test_accuracy"] + runs["replicate"] / 10)

    found = settled("C11", runs=change)
    assert found[["effect", "low", "high"]].tolist() == pytest.approx([0.75] * 3)
    lost = settled(
        "C11", runs=lambda t: diverge(change(t), t["slope"].eq(1e-4) & t["experiment"].eq("slopes"))
    )
    assert lost["effect"] == pytest.approx((0.1 - 0.3) / 0.4)


def test_a_tiny_slope_that_rescues_supports_c11() -> None:
    def rescued(runs: pd.DataFrame) -> pd.DataFrame:
        tiny = (runs["activation"] == "leaky_relu") & (runs["slope"] < 0.005)
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(tiny, 0.9))

    found = settled("C11", runs=rescued)
    assert (found["verdict"], found["effect"]) == (SUPPORTED, pytest.approx(1, abs=0.01))


def without(activation: str, slope: float | None = None) -> Change:
    return lambda t: t[(t["activation"] != activation) | (slope is not None and t["slope"] != slope)]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (accurate(lambda t: 0.9), "no slope is surely better than ReLU, so that there is nothing to rescue"),
        (
            by_slope({1e-4: 0.2, 1e-2: 0.209}),
            "no slope is surely better than ReLU, so that there is nothing to rescue",
        ),
        (without("leaky_relu", 1e-4), "no network has slope 0.0001"),
        (without("leaky_relu"), "ReLU and leaky ReLU are needed"),
        (without("relu"), "ReLU and leaky ReLU are needed"),
    ],
)
def test_c11_says_what_is_missing(change: Change, note: str) -> None:
    found = settled("C11", runs=change)
    assert found[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, note]


def test_no_slope_but_the_best_may_be_enough() -> None:
    """And if replicates disagree about which is, none is on average."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-2: 0.8})(runs)["test_accuracy"]
        cifar = by_slope({0.3: 0.8, 1e-2: 0.1})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)["details"]
    assert "SmallestEnough" not in found
    assert found["BestSlope"] == "0.01 and 0.3"


def learned(shift: float) -> Change:
    """PReLU's mean slope at the end lies so far from where it began."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(
            mean_slope=(runs["slope"] + shift * (runs["activation"] == "prelu")).where(~runs["diverged"])
        )

    return change


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.02, SUPPORTED), (-0.02, SUPPORTED), (0.009, REFUTED), (0.0, REFUTED)]
)
def test_c12_asks_whether_the_slope_moves_either_way(shift: float, verdict: str) -> None:
    found = settled("C12", runs=learned(shift))
    assert found[["verdict", "note"]].tolist() == [verdict, ""]
    assert found["effect"] == pytest.approx(abs(shift))
    assert found["details"]["MeanSlope"] == pytest.approx(0.25 + shift)


def test_a_slope_whose_start_was_not_recorded_began_at_a_quarter() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return learned(0.02)(runs).assign(slope=runs["slope"].mask(runs["activation"] == "prelu"))

    assert settled("C12", runs=change)["effect"] == pytest.approx(0.02)


def test_slopes_that_move_in_one_experiment_only_limit_c12() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return learned(0.05)(runs).assign(
            mean_slope=lambda t: t["mean_slope"].mask(
                t["experiment"].eq("slopes") & t["activation"].eq("prelu"), 0.25
            )
        )

    found = settled("C12", runs=change)
    assert found["verdict"] == LIMITED
    assert found["note"] == "holds in 4 of 8 cases; not shown in 4 of 8 cases"


@pytest.mark.parametrize(("behind", "verdict"), [(0.005, SUPPORTED), (0.02, LIMITED)])
def test_a_learned_slope_has_to_do_as_well_as_the_best_fixed_one(behind: float, verdict: str) -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return by_slope({1e-3: 0.6, 1e-2: 0.8}, other=0.8 - behind)(runs)

    found = settled("C12", runs=change)
    assert found["verdict"] == verdict
    limit = "it learns the slope, but was not shown to do as well as the best fixed slope"
    assert found["note"] == (limit if verdict == LIMITED else "")
    assert found["details"]["AgainstFixed"] == pytest.approx([-behind] * 3)


def test_a_learned_slope_is_compared_with_the_one_that_is_best_on_average_in_its_setting() -> None:
    """In single replicates another is; on CIFAR-10 another is best."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        best = runs["dataset"].map({"mnist": 0.01, "cifar10": 0.1})
        score = (
            0.4 + 0.4 * (runs["slope"] == best) + 0.5 * ((runs["slope"] == 1.0) & (runs["replicate"] == 0))
        )
        score = score.mask(runs["activation"] == "prelu", 0.7) + runs["replicate"] / 20
        return accurate(lambda t: score)(runs)

    assert settled("C12", runs=change)["details"]["AgainstFixed"] == pytest.approx([-0.1] * 3)


def test_c12_needs_fixed_slopes_in_its_own_experiment() -> None:
    found = settled(
        "C12", runs=lambda t: t[(t["experiment"] != "slopes") | (t["activation"] != "leaky_relu")]
    )
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "the experiment 'slopes' has no fixed slope to compare with"


def slopes_by_depth(layers: pd.DataFrame) -> pd.DataFrame:
    return layers.assign(slope=layers["depth"].map({1: -0.5, 2: 0.75}).where(layers["slope"] > 0.2))


def test_learned_slopes_are_told_by_layer_and_divergence_by_experiment() -> None:
    def diverged(runs: pd.DataFrame) -> pd.DataFrame:
        prelu = (runs["experiment"] == "slopes") & (runs["activation"] == "prelu")
        return diverge(runs, prelu & (runs["replicate"] == 0))

    found = settled("C12", layers=slopes_by_depth, runs=diverged)["details"]
    for rate in ("LowRate", "HighRate"):
        assert (found[f"{rate}First"], found[f"{rate}Deeper"]) == (-0.5, 0.75)
    assert (found["NegativeSlopes"], found["LowestSlope"]) == (0.5, -0.5)
    assert found["DivergedSlopes"] == pytest.approx(1 / 3)
    assert found["DivergedRemedies"] == 0
    assert found["DivergedRates"] == "4 of 12 at rate 0.1"


def test_learned_slopes_are_those_at_the_end_on_training_examples_at_either_end_of_the_rates() -> None:
    """Elsewhere they are -9; at the low rate of remedies they are 1 and 2, at the high one 3 and 4."""
    runs = SmallEvidence().runs.set_index("run")

    def change(layers: pd.DataFrame) -> pd.DataFrame:
        run = runs.loc[layers["run"]].reset_index()
        slope = layers["depth"] + 2.0 * (run["learning_rate"] == 1.0)
        asked = (layers["step"] == run["steps"]) & (layers["probe"] == "train")
        prelu = run["activation"] == "prelu"
        return layers.assign(
            slope=slope.where(asked & prelu, -9.0).mask(prelu & (run["experiment"] == "slopes") & asked, 7.0)
        )

    found = settled("C12", layers=change)["details"]
    names = (
        "LowRateFirst",
        "LowRateDeeper",
        "HighRateFirst",
        "HighRateDeeper",
        "NegativeSlopes",
        "LowestSlope",
    )
    assert [found[name] for name in names] == [1, 2, 3, 4, 0, 1]


def test_divergence_is_told_by_rate_and_experiment() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        prelu = runs["activation"] == "prelu"
        slow = prelu & (runs["experiment"] == "slopes") & (runs["dataset"] == "cifar10")
        runs = runs.assign(learning_rate=runs["learning_rate"].mask(slow, 0.01))
        return diverge(runs, prelu & (slow & (runs["architecture"] == "cnn") | runs["learning_rate"].eq(1.0)))

    found = settled("C12", runs=change)["details"]
    assert found["DivergedRates"] == "3 of 6 at rate 0.01 and 0 of 6 at rate 0.1"
    assert (found["DivergedSlopes"], found["DivergedRemedies"]) == (0.25, 0.5)


def test_c12_counts_prelu_networks_of_both_experiments_and_averages_those_that_did_not_diverge() -> None:
    asked = SmallEvidence().runs.query("activation == 'prelu' and experiment in ('slopes', 'remedies')")
    lost = settled(
        "C12", runs=lambda t: diverge(learned(np.pi)(t), t["activation"].eq("prelu") & t["replicate"].eq(9))
    )
    assert lost["n"] == len(asked)
    assert lost["details"]["MeanSlope"] == pytest.approx(0.25 + np.pi)
