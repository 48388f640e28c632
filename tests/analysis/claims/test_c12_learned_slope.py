"""C12: a slope that is learned."""

import numpy as np
import pandas as pd
import pytest
from claim_changes import accurate, by_slope
from small_evidence import Change, SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


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
