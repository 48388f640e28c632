"""C10: leaky ReLU against the other remedies."""

from collections.abc import Callable, Mapping

import pandas as pd
import pytest
from claim_changes import accurate
from small_evidence import Change, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


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
