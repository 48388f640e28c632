"""Numbers that no hypothesis asked for: where the law errs, the networks that F1a counts, and the units that F4 is about."""

import json
import math
import re
from collections.abc import Callable

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.claims.cells import by_seed
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.findings.f1_mean import CENTRED, OFFSET
from dying_relu.analysis.findings.f2_law import FEWEST, HELD_OUT
from dying_relu.analysis.findings.f4_price import DAMAGES, SAFE_RATE
from dying_relu.analysis.findings.law import log2, onsets, scales, shares
from dying_relu.analysis.findings.layers import at_the_end, cut_off, with_new_dead
from dying_relu.analysis.inference.seeds import median_interval
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.numbers.macro import Macro, macro, with_interval
from dying_relu.analysis.outcomes import OUTCOMES, finite
from dying_relu.analysis.study_results import StudyResults

INPUTS = {
    "random_45_quarter": "MNIST with a random offset, divided by four",
    "components_80": "principal components of MNIST with an offset",
    "inverted_double": "inverted MNIST, doubled",
    "constant_30": "CIFAR-10 with a constant offset",
}
"""Those of the held-out settings, in words."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the tables of runs and layers; what a study lacks the experiments for is not measured."""
    evidence = Evidence(study)
    macros: dict[str, Macro] = {}
    for measure, names in MEASURES.items():
        try:
            macros |= measure(evidence)
        except NotEnoughData:
            macros |= dict.fromkeys(names, macro(None, "number"))
    return macros


def errors_of_the_law(evidence: Evidence) -> dict[str, Macro]:
    """The law's error over the held-out settings that have an onset, how many of them are near it, and its ratios by kind of input."""
    limits = evidence.thresholds
    runs = reported(evidence.relu(*HELD_OUT))
    runs = runs[(runs["optimiser"] == "sgd") & (runs["intervention"] == "none")]
    if runs.empty:
        raise NotEnoughData("no held-out settings have networks under SGD")
    seeds = shares(evidence, runs)
    predicted = limits.sgd_constant * scales(evidence, runs)["sgd"]
    observed = onsets(seeds, limits.mass_death)
    octaves = log2(observed / predicted.reindex(observed.index))
    spreads = [
        _spread(log2(one / predicted.reindex(one.index)))
        for seed in seeds.index
        for one in [onsets(seeds.loc[[seed]], limits.mass_death)]
    ]
    within = int((octaves.abs() <= limits.octaves).sum())
    grid = runs.groupby(["dataset", "architecture", "inputs"], sort=False)["learning_rate"].min()
    settings = pd.DataFrame(
        {
            "ratio": onsets(seeds, limits.mass_death, predicted) / predicted.reindex(observed.index),
            "observed": observed.notna(),
            "least": grid.reindex(observed.index) / predicted.reindex(observed.index),
        }
    )
    by_input = "; ".join(
        f"{ratios_in_words(rows)} for {_in_words(str(dataset), str(inputs))}"
        for (dataset, inputs), rows in settings.groupby(level=["dataset", "inputs"], sort=False)
    )
    return {
        "LawErrorWithOnset": _median(spreads, "number"),
        "LawWithinOctaves": Macro(
            f"{within} of {len(octaves)}", f"{latex.number(within)} of {latex.number(len(octaves))}"
        ),
        "LawRatioByInput": Macro(re.sub(r"\\num\{(.*?)\}", r"\1", by_input), by_input),
    }


def ratios_in_words(settings: pd.DataFrame) -> str:
    r"""The range of observed over predicted onsets of one kind of input, and the bounds where none was observed inside the grid.

    Args:
        settings: a row a network, with the columns ``ratio`` (of the end of the grid where no onset was observed; NaN where none was
            predicted either), ``observed``, and ``least``, that of the lowest rate of the grid.

    >>> ratios_in_words(pd.DataFrame({"ratio": [0.5, 2.0, 4.0], "observed": [True, True, False], "least": 0.1}))
    '\\num{0.5} to \\num{2} and more than \\num{4} in one network'
    """
    inside = settings.loc[settings["observed"], "ratio"]
    outside = settings[~settings["observed"] & settings["ratio"].notna()]
    below = outside["ratio"] <= outside["least"]
    parts = [latex.span(inside)] if len(inside) else []
    for direction, bounds, bound in (
        ("more", outside.loc[~below, "ratio"], "min"),
        ("less", outside.loc[below, "ratio"], "max"),
    ):
        if len(bounds):
            networks = f"{latex.word(len(bounds))} {'network' if len(bounds) == 1 else 'networks'}"
            parts.append(f"{direction} than {latex.number(bounds.agg(bound))} in {networks}")
    return latex.listed(parts) if parts else "no onset"


def networks_without_a_mean(evidence: Evidence) -> dict[str, Macro]:
    """The finite networks of F1a: those whose first layer gets a gradient at the end, their units, all outcomes, and the control."""
    by = ["dataset", "optimiser"]
    runs = with_new_dead(evidence, reported(evidence.relu("mean_inputs")), 1)
    runs = runs[(runs["architecture"] == "mlp") & finite(runs)]
    centred, offset = (runs[runs["inputs"] == inputs] for inputs in (CENTRED, OFFSET))
    if centred.empty:
        raise NotEnoughData(f"the experiment 'mean_inputs' has no finite networks with inputs {CENTRED!r}")
    with_gradient = centred[~cut_off(evidence, centred)]
    layers = at_the_end(evidence)
    first = layers[(layers["depth"] == 1) & layers["run"].isin(with_gradient["run"])]
    twins = offset.merge(with_gradient[[*by, "learning_rate", "replicate"]])
    most = by_seed(twins, by, lambda rows: float(rows["new_dead"].max()))
    cells: list[list[float]] = [list(cell) for _, cell in most.groupby(level=by, sort=False)]
    weakest = min(cells, key=lambda cell: median_interval(cell).estimate) if cells else []
    return {
        "FindingOneAOpenNetworks": macro(len(with_gradient), "number"),
        "FindingOneAOpenUnits": macro(float(first["units"].sum()), "number"),
        "FindingOneAOpenNewlyDead": macro(float(first["new_dead_units"].sum()), "number"),
        **{
            f"FindingOneA{outcome.capitalize()}": macro(
                float((centred["outcome"] == outcome).mean()), "percent"
            )
            for outcome in OUTCOMES
        },
        "FindingOneAControl": _median(weakest, "percent"),
    }


def damaged_units(evidence: Evidence) -> dict[str, Macro]:
    """The units of the first layer that a high rate killed, or killed nearly: those that F4's twins lack from birth."""
    runs = reported(evidence.relu("damage_sgd", "damage_adam"))
    runs = runs[(runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")]
    layers = evidence.layers
    start = layers[(layers["probe"] == "train") & (layers["step"] == 0) & (layers["depth"] == 1)]
    lacking = runs.merge(start[["run", "dead_all"]], on="run").astype({"dead_all": float})
    medians = lacking.groupby("intervention")["dead_all"].median()

    def listed(what: str) -> Macro:
        units = [medians[arm] for arm in (f"lack_{what}_{damage}" for damage in DAMAGES) if arm in medians]
        if not units:
            return macro(None, "number")
        return Macro(json.dumps(units), latex.listed(latex.number(number) for number in units))

    return {"FourDeadUnits": listed("dead"), "FourNearlyDeadUnits": listed("nearly")}


def accuracy_of_whole_networks(evidence: Evidence) -> dict[str, Macro]:
    """The accuracy of the networks whose losses F4a counts."""
    runs = reported(evidence.relu("living_100"))
    runs = runs[(runs["dataset"] == "mnist") & (runs["learning_rate"] == SAFE_RATE)]
    whole = runs.loc[runs["intervention"] == "none", "test_accuracy"]
    return {"FourBaseAccuracy": _median(list(whole), "percent")}


MEASURES: dict[Callable[[Evidence], dict[str, Macro]], tuple[str, ...]] = {
    errors_of_the_law: ("LawErrorWithOnset", "LawWithinOctaves", "LawRatioByInput"),
    networks_without_a_mean: (
        "FindingOneAOpenNetworks",
        "FindingOneAOpenUnits",
        "FindingOneAOpenNewlyDead",
        *(f"FindingOneA{outcome.capitalize()}" for outcome in OUTCOMES),
        "FindingOneAControl",
    ),
    damaged_units: ("FourDeadUnits", "FourNearlyDeadUnits"),
    accuracy_of_whole_networks: ("FourBaseAccuracy",),
}
"""The functions that measure, with the names of their macros."""


def _in_words(dataset: str, inputs: str) -> str:
    return latex.escape(INPUTS.get(inputs, f"{latex.name(dataset)} {latex.name(inputs)}"))


def _spread(octaves: pd.Series) -> float:
    """The standard deviation over the settings that have an onset."""
    observed = octaves.dropna()
    return float(observed.std(ddof=1)) if len(observed) >= FEWEST else math.nan


def _median(values: list[float], form: str) -> Macro:
    """The median over seeds with its exact interval, where there is one."""
    if not any(not math.isnan(value) for value in values):
        return macro(None, form)
    middle = median_interval(values)
    low, high = (end if math.isfinite(end) else math.nan for end in (middle.low, middle.high))
    return Macro(middle.estimate, with_interval(middle.estimate, low, high, form))
