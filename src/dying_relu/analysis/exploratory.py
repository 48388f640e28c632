"""Comparisons that no hypothesis asked for, seed by seed: of experiments that no finding reports, and of arms that it leaves out.

All of it is exploratory: no verdict rests on it. Shares are of the units that are newly dead at the end, in finite networks; losses are
differences of test accuracies.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.findings.f1_mean import CENTRED, FROZEN_RATES, HIDDEN_RATES, HIGH_RATES
from dying_relu.analysis.findings.f4_price import SAFE_RATE, WIDTHS
from dying_relu.analysis.findings.law import scales
from dying_relu.analysis.findings.layers import at_rates, with_new_dead
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.latex import name
from dying_relu.analysis.outcomes import finite

CONVOLUTION_INPUTS = {"standardised": "standardised", "raw": "raw", CENTRED: "centred"}
TRAINED_PARAMETERS = {
    "none": "both trained",
    "frozen_biases": "biases frozen",
    "biases_only": "weights frozen",
}
CENTRINGS = {"mlp": "plain", "shifted": "shifted once", "centred": "centred"}
"""Networks whose hidden activations are left alone, shifted by a fixed vector, or centred by their minibatch's mean."""
COMPONENTS = {
    "components_1": "one component",
    "components_5": "five components",
    "components_30": "thirty components",
}
COMPONENT_RATES = {"adam": 0.4}
"""The highest of the experiment: at lower ones inputs of few components kill few units."""
RATES_OF_CENTRING = {"sgd": (0.4, 0.57), "adam": HIDDEN_RATES}
LATER = "kill_90_later"
BEFORE = "kill_90"


class Level(NamedTuple):
    """One of the levels that are compared.

    Attributes:
        words: its name.
        numbers: (seeds,) a number a seed; NaN where all its networks overflowed.
    """

    words: str
    numbers: tuple[float, ...]


class Comparison(NamedTuple):
    """Levels of a factor side by side, in one setting.

    Attributes:
        experiment: in which they were trained.
        words: what is measured, and the setting.
        levels: in the order in which they are read.
    """

    experiment: str
    words: str
    levels: list[Level]


def comparisons(evidence: Evidence) -> list[Comparison]:
    """List all comparisons that a study has the experiments for.

    Args:
        evidence: of the study.
    """
    every = []
    for part in PARTS:
        with suppress(NotEnoughData):
            every += [comparison for comparison in part(evidence) if comparison.levels]
    return every


def first_convolutions(evidence: Evidence) -> list[Comparison]:
    """The largest newly dead share of first convolutions over the rates, by their inputs; a comparison a data set and optimiser."""
    runs = with_new_dead(evidence, reported(evidence.relu("mean_inputs_cnn")), 1)
    return [
        Comparison(
            "mean_inputs_cnn",
            f"first convolution, largest over rates: {name(str(dataset))}, {name(str(optimiser))}",
            _levels(rows, "inputs", CONVOLUTION_INPUTS, "max"),
        )
        for (dataset, optimiser), rows in runs.groupby(["dataset", "optimiser"], sort=False)
    ]


def doses(evidence: Evidence) -> list[Comparison]:
    """The newly dead share of first layers by the offset share, over all directions; a comparison an optimiser, at F1b's rate."""
    runs = reported(evidence.relu("mean_dose"))
    runs = at_rates(runs[runs["dataset"] == "mnist"], HIGH_RATES)
    runs = with_new_dead(evidence, runs, 1)
    # Of inputs such as "random_60".
    percent = pd.to_numeric(runs["inputs"].str.rpartition("_")[2], errors="coerce")
    runs = runs.assign(share=percent / 100)
    words = {share: f"share {share:g}" for share in sorted(runs["share"].dropna().unique())}
    return [
        Comparison(
            "mean_dose",
            f"first layer by offset share, mean over directions: {name(str(optimiser))}, rate {HIGH_RATES[str(optimiser)]:g}",
            _levels(rows, "share", words, "mean"),
        )
        for optimiser, rows in runs.groupby("optimiser", sort=False)
    ]


def biases(evidence: Evidence) -> list[Comparison]:
    """The newly dead share of first layers of which only weights or only biases are trained: all pixels, then few components."""
    runs = reported(evidence.relu("mean_biases"))
    runs = with_new_dead(evidence, runs[runs["dataset"] == "mnist"], 1)
    rates = {"standardised": FROZEN_RATES} | dict.fromkeys(COMPONENTS, COMPONENT_RATES)
    return [
        Comparison(
            "mean_biases",
            f"first layer, {COMPONENTS.get(inputs, 'all pixels')}: {name(str(optimiser))}, rate {by_optimiser[str(optimiser)]:g}",
            _levels(rows, "intervention", TRAINED_PARAMETERS, "max"),
        )
        for inputs, by_optimiser in rates.items()
        for optimiser, rows in at_rates(runs[runs["inputs"] == inputs], by_optimiser).groupby(
            "optimiser", sort=False
        )
    ]


def hidden_layers(evidence: Evidence) -> list[Comparison]:
    """The newly dead share of second layers by what is done to their inputs; a comparison an optimiser and rate."""
    runs = reported(evidence.relu("mean_hidden"))
    runs = runs[(runs["inputs"] == CENTRED) & (runs["dataset"] == "mnist")]
    runs = with_new_dead(evidence, runs, 2)
    return [
        Comparison(
            "mean_hidden",
            f"second layer, by its inputs: {name(str(optimiser))}, rate {rate:g}",
            _levels(rows, "architecture", CENTRINGS, "max"),
        )
        for (optimiser, rate), rows in runs.groupby(["optimiser", "learning_rate"], sort=False)
        if rate in RATES_OF_CENTRING.get(str(optimiser), ())
    ]


def living_units(evidence: Evidence) -> list[Comparison]:
    """The loss of accuracy by the number of living units on CIFAR-10, F4a being of MNIST; a comparison a width."""
    every = []
    for width in WIDTHS:
        with suppress(NotEnoughData):
            runs = _at_the_safe_rate(evidence, width)
            killed = (
                runs["intervention"][runs["intervention"].str.fullmatch(r"kill_\d+")]
                .str.removeprefix("kill_")
                .astype(int)
            )
            arms = {f"kill_{number}": f"{width - number} units" for number in sorted(killed.unique())}
            words = f"loss of accuracy, first layer of {width}: {name('cifar10')}"
            every.append(Comparison(f"living_{width}", words, _losses(runs, "cifar10", arms)))
    return every


def removed_later(evidence: Evidence) -> list[Comparison]:
    """The loss of accuracy to the lack of nine tenths of a layer from birth or from step 100 on; a comparison a data set."""
    runs = _at_the_safe_rate(evidence, 100)
    if LATER not in set(runs["intervention"]):
        raise NotEnoughData(f"the experiment 'living_100' has no networks {LATER!r}")
    every = []
    for dataset in runs["dataset"].unique():
        levels = _losses(runs, dataset, {BEFORE: "removed before training", LATER: "removed at step 100"})
        if len(levels) == 2:
            difference = tuple(np.subtract(levels[1].numbers, levels[0].numbers))
            levels.append(Level("difference", difference))
        every.append(Comparison("living_100", f"loss of accuracy, 90 units of 100: {name(dataset)}", levels))
    return every


def lines_of_convolutions(evidence: Evidence) -> list[Comparison]:
    """Mass death of first convolutions above and below the law's line; a comparison a data set."""
    return _lines_of_convolutions(evidence, evidence.thresholds.sgd_constant, evidence.thresholds.mass_death)


@measured
def _lines_of_convolutions(evidence: Evidence, constant: float, share: float) -> list[Comparison]:
    runs = reported(evidence.relu("phase_diagram_cnn"))
    runs = runs[runs["optimiser"] == "sgd"]
    line = constant * scales(evidence, runs, ["run"])["sgd"]
    runs = with_new_dead(evidence, runs[finite(runs)], 1)
    above = runs["learning_rate"] > runs["run"].map(line)
    sides = above.map({False: "below", True: "above"})
    runs = runs.assign(side=sides, dies=(runs["new_dead"] >= share).astype(float))
    every = []
    for dataset, rows in runs.groupby("dataset", sort=False):
        counts = rows["side"].value_counts().sort_index(ascending=False)
        words = {side: f"{side} ({counts[side]} of {len(rows)} networks)" for side in counts.index}
        most = _levels(rows.assign(whole="all"), "whole", {"all": "largest newly dead share"}, "max")
        every.append(
            Comparison(
                "phase_diagram_cnn",
                f"first convolution, share of networks in mass death by the law's line: {name(str(dataset))}, {name('sgd')}",
                [*_levels(rows, "side", words, "mean", "dies"), *most],
            )
        )
    return every


PARTS: tuple[Callable[[Evidence], list[Comparison]], ...] = (
    doses,
    first_convolutions,
    lines_of_convolutions,
    biases,
    hidden_layers,
    living_units,
    removed_later,
)
"""The comparisons, in the order of the findings that they are nearest to."""


def _levels(
    runs: pd.DataFrame, factor: str, words: Mapping[Any, str], over: str, value: str = "new_dead"
) -> list[Level]:
    """The number of each seed at every level that there is: the maximum or mean ``over`` its networks."""
    seeds = sorted(runs["replicate"].unique())
    groups = {level: rows.groupby("replicate")[value].agg(over) for level, rows in runs.groupby(factor)}
    return [
        Level(shown, tuple(groups[level].reindex(seeds))) for level, shown in words.items() if level in groups
    ]


def _at_the_safe_rate(evidence: Evidence, width: int) -> pd.DataFrame:
    runs = reported(evidence.relu(f"living_{width}"))
    return runs[runs["learning_rate"] == SAFE_RATE]


def _losses(runs: pd.DataFrame, dataset: str, arms: Mapping[str, str]) -> list[Level]:
    """The accuracy of whole networks minus that of their twins in every arm that there is."""
    runs = runs[runs["dataset"] == dataset]
    accuracies = runs.pivot_table("test_accuracy", index="replicate", columns="intervention")
    if "none" not in accuracies:
        return []
    return [
        Level(words, tuple(accuracies["none"] - accuracies[arm]))
        for arm, words in arms.items()
        if arm in accuracies
    ]
