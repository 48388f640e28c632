"""F1: a first layer dies of the mean of its inputs."""

from collections.abc import Callable, Hashable
from typing import Any

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.changes import change
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.layers import at_rates, at_the_end, cut_off, first_inputs, with_new_dead
from dying_relu.analysis.inference.criteria import Above, Criterion, Rare, Within
from dying_relu.analysis.inference.decisions import HOLDS, NOT_SETTLED, Cell, decide
from dying_relu.analysis.inference.seeds import ONE_SIDE, enough, highest_share
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.latex import name
from dying_relu.analysis.outcomes import COLLAPSED, DIVERGED, finite
from dying_relu.analysis.thresholds import PAPER

CENTRED, OFFSET = "centred", "random_60"
"""The inputs of F1a, and those of its control."""
DIRECTIONS = ("mean", "random", "constant")
WITHOUT = "mean_0"
"""Inputs with an offset of share 0, which has no direction."""
HIGH_RATES = {"sgd": 0.2, "momentum": 0.1, "adam": 0.02}
FROZEN_RATES = {"sgd": 0.4, "momentum": 0.2, "adam": 0.02}
HIDDEN_RATES = (0.02, 0.04)
"""Of Adam; under SGD networks with centred activations overflow at the rates at which the others lose units (pilots)."""
FEW_COMPONENTS = 5
FEW = tuple(f"components_{number}" for number in (1, 2, 3, FEW_COMPONENTS))
"""Inputs of which the bias is a part that is not small."""
DEATHS = {"CollapsedShare": "percent", "DivergedShare": "percent"}
"""What is printed of the outcomes of the networks that a finding counts."""


@finding(
    "F1a",
    "Without a mean of its inputs no unit of a first layer dies",
    experiment="mean_inputs",
    measure="share of seeds with a newly dead unit in the first layer at any rate, inputs centred",
    rule="Inputs centred, MLPs, for each data set and optimiser; each seed: whether any unit of the first layer is newly dead in a finite "
    f"network, at any rate. A cell holds if the upper limit of the share of such seeds is below {PAPER.few_seeds:g}, and fails if the "
    f"lower one is above. Control: with an offset of share 0.6, at rates at which the centred twin is finite and no later layer of it "
    f"is dead whole (else its first layer had no gradient to die of), the largest newly dead share of a finite network is above "
    f"{PAPER.mass_death:.0%} in every cell; without it F1a is not settled.",
    details={
        "Networks": "number",
        "Units": "number",
        "NewlyDead": "number",
        "UpperLimit": "percent",
        "CutOff": "number",
    },
)
def no_mean_no_death(evidence: Evidence) -> Finding:
    """Judge F1a."""
    networks, cells, control, details = _deaths_without_mean(evidence)
    decision = decide(cells, Rare(evidence.thresholds.few_seeds))
    if not control:
        raise NotEnoughData(f"the control, inputs {OFFSET!r}, is not in the experiment 'mean_inputs'")
    controlled = decide(control, Above(evidence.thresholds.mass_death))
    if controlled.verdict == HOLDS:
        return Finding.of(decision, networks, details=details)
    lacking = [one.cell.name for one in controlled.cells if one.state != HOLDS]
    note = f"with an offset the first layer does not reach mass death in {' and '.join(lacking)}"
    mean = decision.mean if decision.mean.n else None
    return Finding(NOT_SETTLED, mean, networks, note=note, cells=decision.cells, details=details)


@measured
def _deaths_without_mean(evidence: Evidence) -> tuple[int, list[Cell], list[Cell], dict[str, Detail]]:
    """The networks, whether a seed has a death without a mean, the most deaths with an offset, and the details."""
    by = ["dataset", "optimiser"]
    runs = with_new_dead(evidence, reported(evidence.relu("mean_inputs")), 1)
    runs = runs[runs["architecture"] == "mlp"]
    centred, offset = (runs[runs["inputs"] == inputs] for inputs in (CENTRED, OFFSET))
    if centred.empty:
        raise NotEnoughData(f"the experiment 'mean_inputs' has no inputs {CENTRED!r}")
    counted = centred[finite(centred)]
    layers = at_the_end(evidence)
    first = layers[(layers["depth"] == 1) & layers["run"].isin(counted["run"])]
    deaths = by_seed(counted, by, lambda rows: float((rows["new_dead"] > 0).any()))
    without_gradient = cut_off(evidence, counted)
    twins = offset[finite(offset)].merge(counted.loc[~without_gradient, [*by, "learning_rate", "replicate"]])
    most = by_seed(twins, by, lambda rows: float(rows["new_dead"].max()))
    details: dict[str, Detail] = {
        "Networks": len(counted),
        "Units": float(first["units"].sum()),
        "NewlyDead": float(first["new_dead_units"].sum()),
        "UpperLimit": highest_share(counted["replicate"].nunique(), 1 - ONE_SIDE),
        "CutOff": int(without_gradient.sum()),
    }
    return len(centred), cells_of(deaths, centred, by), cells_of(most, centred, by), details


@finding(
    "F1b",
    "An offset of the inputs kills, whatever its direction",
    experiment="mean_dose",
    measure="newly dead share of the first layer at offset share 0.6 minus that at 0",
    unit="points",
    rule="MNIST, MLPs, offset in the direction of the mean image, a random one, or a constant one; SGD at rate 0.2, momentum 0.1, Adam "
    "0.02; each seed: newly dead share of the first layer at offset share 0.6 minus the largest one of the twin at 0 over all rates of the "
    f"grid at which that is finite. Holds if above {100 * PAPER.offset_kills:.0f} points.",
    details=DEATHS,
)
def an_offset_kills(evidence: Evidence) -> Finding:
    """Judge F1b."""
    networks, cells, details = _dose(evidence)
    return _judged(cells, Above(evidence.thresholds.offset_kills), networks, details)


@measured
def _dose(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    every = reported(evidence.relu("mean_dose"))
    every = with_new_dead(evidence, every[every["dataset"] == "mnist"], 1)
    runs = at_rates(every, HIGH_RATES)
    zero = every[every["inputs"] == WITHOUT]
    largest = zero.groupby(["optimiser", "replicate"])["new_dead"].max().rename("largest")
    zero = zero.drop_duplicates(["optimiser", "replicate"]).join(largest, on=["optimiser", "replicate"])
    # One network of each seed without an offset stands for those at all rates.
    zero = zero.assign(new_dead=zero["largest"], overflowed=zero["largest"].isna()).drop(columns="largest")
    parts = [
        pd.concat([runs[runs["inputs"] == f"{direction}_60"], zero]).assign(direction=direction)
        for direction in DIRECTIONS
        if f"{direction}_60" in set(runs["inputs"])
    ]
    if not parts or zero.empty:
        raise NotEnoughData(
            "the experiment 'mean_dose' lacks offset shares 0.6 or 0 at the rates of the rule"
        )
    return _twins(pd.concat(parts), ["direction", "optimiser"], "inputs", _inputs_of)


def _inputs_of(cell: dict[Hashable, Any]) -> tuple[str, str]:
    return WITHOUT, f"{cell['direction']}_60"


@finding(
    "F1c",
    "Units die without a bias, too",
    experiment="mean_biases",
    measure="newly dead share of the first layer with biases frozen at 0 minus that with biases trained",
    unit="points",
    rule="Standardised MNIST, MLPs; SGD at rate 0.4, momentum 0.2, Adam 0.02; each seed: newly dead share of the first layer with biases "
    "frozen at 0 minus that of the twin with biases trained, both finite; seeds in which neither twin newly loses "
    f"{PAPER.mass_death:.0%} of the layer are missing. A cell holds if the whole interval lies within "
    f"{-100 * PAPER.bias_spares:.0f} and {100 * PAPER.bias_spares:.0f} points.",
    details=DEATHS,
)
def the_bias_is_not_needed(evidence: Evidence) -> Finding:
    """Judge F1c."""
    networks, cells, details = _frozen(evidence, evidence.thresholds.mass_death)
    limit = evidence.thresholds.bias_spares
    return _judged(cells, Within(-limit, limit), networks, details)


@measured
def _frozen(evidence: Evidence, some: float) -> tuple[int, list[Cell], dict[str, Detail]]:
    runs = at_rates(reported(evidence.relu("mean_biases")), FROZEN_RATES)
    runs = runs[(runs["inputs"] == "standardised") & (runs["dataset"] == "mnist")]
    runs = runs[runs["intervention"].isin(("none", "frozen_biases"))]
    runs = with_new_dead(evidence, runs, 1)
    if runs["intervention"].nunique() < 2:
        raise NotEnoughData(
            "the experiment 'mean_biases' lacks frozen or trained biases at the rates of the rule"
        )
    # Twins of which neither dies in mass are alike because nothing happens. By the larger one: else chance would choose.
    most = runs.groupby(["optimiser", "replicate"])["new_dead"].transform("max")
    runs = runs.assign(new_dead=runs["new_dead"].mask(most < some))
    return _twins(runs, ["optimiser"], "intervention", lambda cell: ("none", "frozen_biases"))


@finding(
    "F1d",
    "Centring the activations of a hidden layer keeps the next one alive",
    experiment="mean_hidden",
    measure="newly dead share of the second layer with plain activations minus that with centred ones",
    unit="points",
    rule="MNIST, inputs centred, MLPs, Adam at rates 0.02 and 0.04; each seed: newly dead share of the second layer minus that of the twin "
    "whose hidden activations are centred by their minibatch's mean, both finite. Holds if above "
    f"{100 * PAPER.centring_spares:.0f} points.",
    details=DEATHS,
)
def centring_hidden_spares(evidence: Evidence) -> Finding:
    """Judge F1d."""
    networks, cells, details = _hidden(evidence)
    return _judged(cells, Above(evidence.thresholds.centring_spares), networks, details)


@measured
def _hidden(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    runs = reported(evidence.relu("mean_hidden"))
    runs = runs[(runs["optimiser"] == "adam") & runs["learning_rate"].isin(HIDDEN_RATES)]
    runs = runs[(runs["inputs"] == CENTRED) & (runs["dataset"] == "mnist")]
    runs = with_new_dead(evidence, runs[runs["architecture"].isin(("mlp", "centred"))], 2)
    if runs["architecture"].nunique() < 2:
        raise NotEnoughData(
            "the experiment 'mean_hidden' lacks plain or centred activations at the rates of the rule"
        )
    return _twins(runs, ["learning_rate"], "architecture", lambda cell: ("centred", "mlp"))


def _twins(
    runs: pd.DataFrame, by: list[str], factor: str, ends: Callable[[dict[Hashable, Any]], tuple[str, str]]
) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the newly dead share at one level of a factor minus that at another, and the outcomes."""
    levels = runs[by].drop_duplicates().reset_index(drop=True)
    pairs = pd.DataFrame([ends(cell) for cell in levels.to_dict("records")], columns=["low", "high"])
    values = change(runs[finite(runs)], pd.concat([levels, pairs], axis=1), by, factor, "new_dead")
    once = runs.drop_duplicates("run")
    details: dict[str, Detail] = {
        "CollapsedShare": float((once["outcome"] == COLLAPSED).mean()),
        "DivergedShare": float((once["outcome"] == DIVERGED).mean()),
    }
    return len(once), cells_of(values, runs, by), details


def _judged(cells: list[Cell], criterion: Criterion, networks: int, details: dict[str, Detail]) -> Finding:
    return Finding.of(decide(cells, criterion), networks, details=details)


@finding(
    "F1e",
    "The bias has little part in a fall: that of a constant input among the others",
    experiment="mean_biases",
    measure="median part of the bias in the fall of the effective bias minus 1 / (1 + squared norm of the inputs' mean)",
    unit="points",
    rule="MLPs under SGD and momentum, nothing intervened, at all rates; inputs: principal components (1, 2, 3, 5, 30, 100) and all "
    "pixels, all with an offset share of 0.3. Each seed: the median, over the units of the first layer that are newly dead in finite "
    "networks and whose effective bias fell, of the fall of the bias over that of the effective bias, minus 1 / (1 + squared norm of the "
    f"mean of the inputs). A cell (optimiser, inputs) holds if the whole interval lies within {-PAPER.bias_part_error:g} and "
    f"{PAPER.bias_part_error:g}; those with too few seeds that have such units are no cells; one of at most {FEW_COMPONENTS} components "
    "is needed, where the part is not small.",
    details={"Units": "number", "Settings": "number"},
)
def part_of_the_bias(evidence: Evidence) -> Finding:
    """Judge F1e."""
    networks, every, units = _parts_of_the_bias(evidence)
    cells = [cell for cell in every if enough(cell.numbers)]
    if not any(cell.levels["inputs"] in map(name, FEW) for cell in cells):
        raise NotEnoughData(
            "in no setting of few components have three quarters of the seeds a newly dead unit in the first layer"
        )
    limit = evidence.thresholds.bias_part_error
    details: dict[str, Detail] = {"Units": units, "Settings": len(cells)}
    return Finding.of(decide(cells, Within(-limit, limit)), networks, details=details)


@measured
def _parts_of_the_bias(evidence: Evidence) -> tuple[int, list[Cell], int]:
    """The networks, the error of the predicted part of the bias, and the units."""
    by = ["optimiser", "inputs"]
    runs = reported(evidence.relu("mean_biases"))
    runs = runs[runs["optimiser"].isin(("sgd", "momentum")) & (runs["intervention"] == "none")]
    runs = runs[runs["dataset"] == "mnist"]
    if runs.empty:
        raise NotEnoughData(
            "the experiment 'mean_biases' has no networks under SGD or momentum without an intervention"
        )
    falls = _falls(evidence, runs[finite(runs)])
    predicted = 1 / (1 + first_inputs(evidence)["input_mean_norm"] ** 2)
    falls = falls.assign(error=falls["part"] - falls["run"].map(predicted))
    falls = falls.merge(runs[["run", *by, "replicate"]], on="run")
    values = by_seed(falls, by, lambda rows: float(rows["error"].median()))
    return len(runs), cells_of(values, runs, by), len(falls)


def _falls(evidence: Evidence, runs: pd.DataFrame) -> pd.DataFrame:
    """The newly dead units of the first layer whose effective bias fell: ``run``, and the ``part`` of the bias in the fall."""
    columns = ["run", "unit", "step", "depth", "dead", "dead_all", "bias", "mean_pre_activation"]
    units = evidence.study.table("units", columns)
    units = units.loc[(units["depth"] == 1) & units["run"].isin(runs["run"]), columns]
    steps = units["run"].map(runs.set_index("run")["steps"])
    # Probe sets are all the training examples here; where a unit was not counted on all, its count there is the same.
    silent = units["dead_all"].astype("boolean").fillna(units["dead"].astype("boolean")).astype(bool)
    units = units.assign(silent=silent).astype({"bias": float, "mean_pre_activation": float})
    pairs = units[units["step"] == 0].merge(
        units[units["step"] == steps], on=["run", "unit"], suffixes=("", "_end")
    )
    pairs = pairs[pairs["silent_end"] & ~pairs["silent"]]
    fall = pairs["mean_pre_activation"] - pairs["mean_pre_activation_end"]
    part = (pairs["bias"] - pairs["bias_end"]) / fall
    return pairs.loc[fall > 0, ["run"]].assign(part=part)
