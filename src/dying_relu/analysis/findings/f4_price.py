"""F4: what dead units cost."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.inference.criteria import Above, Below, Within
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.thresholds import PAPER

WIDTHS = {30: "Thirty", 100: "Hundred", 300: "ThreeHundred"}
"""Of layer 1; names of macros cannot hold digits."""
ENOUGH, TOO_FEW = 10, 2
"""Numbers of living units that are compared with all."""
SAFE_RATE = 0.1
DAMAGES = {"44": "SGD, 0.44", "48": "SGD, 0.48", "3": "Adam, 0.03"}
"""What the names of damages end with, in words: optimiser and high rate."""
_RENEWALS = ("_renewed", "_placebo")
DAMAGED = ("damage_sgd", "damage_adam", "renewal_sgd", "renewal_adam")


@finding(
    "F4a",
    "Ten working units carry a layer",
    experiment="living_30, living_100, living_300",
    measure="margin by which the loss of accuracy is on the expected side of the threshold",
    unit="points",
    rule=f"MNIST, SGD at rate {SAFE_RATE:g}, layer 1 of 30, 100 or 300 units reduced before training to {ENOUGH} or {TOO_FEW}; each seed: "
    f"accuracy of the whole network minus that of its reduced twin. With {ENOUGH} units below {100 * PAPER.living_loss:.0f} points, with "
    f"{TOO_FEW} above: six cells, each the distance from the threshold to the expected side.",
    details={f"Loss{units}Of{width}": "points" for width in WIDTHS.values() for units in ("Ten", "Two")},
)
def ten_units_carry_a_layer(evidence: Evidence) -> Finding:
    """Judge F4a."""
    networks, losses = _losses(evidence)
    threshold = evidence.thresholds.living_loss
    margins = [
        Cell(cell.name, tuple(side * (threshold - number) for number in cell.numbers), cell.levels)
        for cell in losses
        for side in [1 if cell.levels["living units"] == str(ENOUGH) else -1]
    ]
    words = {str(ENOUGH): "Ten", str(TOO_FEW): "Two"}
    details: dict[str, Detail] = {
        f"Loss{words[cell.levels['living units']]}Of{WIDTHS[int(cell.levels['width'])]}": mean_of([cell])
        for cell in losses
    }
    return Finding.of(decide(margins, Above(0.0)), networks, details=details)


@measured
def _losses(evidence: Evidence) -> tuple[int, list[Cell]]:
    """The networks, and the loss of accuracy at each width and number of living units."""
    cells, networks = [], 0
    for width in WIDTHS:
        runs = _at_the_safe_rate(evidence, f"living_{width}")
        whole = _accuracies(runs, "none")
        for units in (ENOUGH, TOO_FEW):
            arm = f"kill_{width - units}"
            if arm not in set(runs["intervention"]):
                raise NotEnoughData(
                    f"the experiment 'living_{width}' has no networks with {units} living units"
                )
            levels = {"width": str(width), "living units": str(units)}
            numbers = (whole - _accuracies(runs, arm)).reindex(sorted(runs["replicate"].unique()))
            cells.append(Cell(f"{units} of {width} units", tuple(numbers), levels))
            networks += int((runs["intervention"] == arm).sum())
        networks += len(whole)
    return networks, cells


def _at_the_safe_rate(evidence: Evidence, experiment: str) -> pd.DataFrame:
    runs = reported(evidence.relu(experiment))
    return runs[
        (runs["dataset"] == "mnist") & (runs["optimiser"] == "sgd") & (runs["learning_rate"] == SAFE_RATE)
    ]


def _accuracies(runs: pd.DataFrame, arm: str) -> pd.Series:
    """The accuracy on all test examples of the networks with one intervention, by replicate; NaN where a network overflowed."""
    return runs[runs["intervention"] == arm].groupby("replicate")["test_accuracy"].mean()


_OF_DAMAGE = (
    "MNIST, MLPs, damaged by 30 steps at a high rate (SGD 0.44 and 0.48, Adam 0.03), then trained at a safe one; each seed: (accuracy of "
    "the whole network minus that of its twin that never saw the high rate but lacks from birth {what} of the damaged one) / (that of the "
    f"whole minus that of the damaged). Seeds that lose less than {100 * PAPER.damaged:.0f} points to the damage are missing. Holds if "
)
_LOSSES = {"Damage": "points", "Lack": "points", "LackRandom": "points"}


@finding(
    "F4b",
    "The strictly dead units explain little of what a damaged network lost",
    experiment="damage_sgd, damage_adam, renewal_sgd, renewal_adam",
    measure="part of the loss of accuracy to the damage that the lack of the dead units makes",
    rule=_OF_DAMAGE.format(what="the dead units") + f"below {PAPER.strictly_dead_part:g}.",
    details=_LOSSES,
)
def the_strictly_dead(evidence: Evidence) -> Finding:
    """Judge F4b."""
    networks, cells, _, details = _parts(evidence, "lack_dead", "lack_random", evidence.thresholds.damaged)
    return Finding.of(decide(cells, Below(evidence.thresholds.strictly_dead_part)), networks, details=details)


@finding(
    "F4c",
    "The nearly dead units explain more",
    experiment="damage_sgd, damage_adam, renewal_sgd, renewal_adam",
    measure="margin by which the part of the loss that the lack of dead and nearly dead units makes is above both thresholds",
    unit="number",
    rule=_OF_DAMAGE.format(what="the units that became dead or nearly dead")
    + f"the smaller of two margins is above 0: of this part above {PAPER.nearly_dead_part:g}, and of what it exceeds that of as many "
    f"random units by above {PAPER.more_than_random:g}.",
    details=_LOSSES | {"Part": "number", "RandomPart": "number"},
)
def the_nearly_dead(evidence: Evidence) -> Finding:
    """Judge F4c."""
    limits = evidence.thresholds
    networks, parts, random, details = _parts(evidence, "lack_nearly", "lack_random_nearly", limits.damaged)
    margins = [
        Cell(
            part.name,
            tuple(
                np.minimum(
                    np.subtract(part.numbers, limits.nearly_dead_part),
                    np.subtract(part.numbers, other.numbers) - limits.more_than_random,
                )
            ),
            part.levels,
        )
        for part, other in zip(parts, random, strict=True)
    ]
    details = {**details, "Part": mean_of(parts), "RandomPart": mean_of(random)}
    return Finding.of(decide(margins, Above(0.0)), networks, details=details)


@measured
def _parts(
    evidence: Evidence, lack: str, placebo: str, damaged: float
) -> tuple[int, list[Cell], list[Cell], dict[str, Detail]]:
    """The networks, the parts of the loss that the lack of some units and of random ones makes, and the losses in points of accuracy."""
    runs = pd.concat(_damage(evidence, name) for name in DAMAGED)
    cells: dict[str, list[Cell]] = {name: [] for name in ("part", "random", *_LOSSES)}
    networks = 0
    for damage, words in DAMAGES.items():
        arms = [f"high_{damage}", f"{lack}_{damage}", f"{placebo}_{damage}"]
        networks += int(runs["intervention"].isin(arms).sum())
        losses = _losses_to(runs, damage, arms)
        whole = losses[0].where(losses[0] >= damaged)
        for name, numbers in zip(cells, [losses[1] / whole, losses[2] / whole, *losses], strict=True):
            cells[name].append(_cell(words, numbers, runs))
    return networks, cells["part"], cells["random"], {name: mean_of(cells[name]) for name in _LOSSES}


def _damage(evidence: Evidence, experiment: str) -> pd.DataFrame:
    runs = reported(evidence.relu(experiment))
    return runs[(runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")]


def _losses_to(runs: pd.DataFrame, damage: str, arms: list[str]) -> list[pd.Series]:
    """The accuracy of the whole network minus that in each arm, by replicate."""
    optimiser = DAMAGES[damage].partition(",")[0].lower()
    whole = _accuracies(runs[runs["optimiser"] == optimiser], "none")
    return [whole - _accuracies(runs, arm) for arm in arms]


def _cell(words: str, numbers: pd.Series, runs: pd.DataFrame) -> Cell:
    optimiser, rate = words.split(", ")
    seeds = sorted(runs["replicate"].unique())
    return Cell(words, tuple(numbers.reindex(seeds)), {"optimiser": optimiser, "high rate": rate})


@finding(
    "F4d",
    "Reviving dead units works because it renews",
    experiment="renewal_sgd, renewal_adam, damage_sgd, damage_adam",
    measure="accuracy with the dead units renewed minus that with as many living units renewed",
    unit="points",
    rule="MNIST, MLPs, damaged by 30 steps at a high rate (SGD 0.44 and 0.48, Adam 0.03), then trained at a safe one; each seed: accuracy "
    "with the dead units renewed after the damage minus that of the twin with as many living units renewed. Seeds that "
    f"lose less than {100 * PAPER.damaged:.0f} points to the damage, or of which neither renewed network is more than "
    f"{100 * PAPER.renewal_gains:.0f} points better than the damaged one, are missing. A cell holds if the whole interval lies within "
    f"{-100 * PAPER.renewal_differs:.0f} and {100 * PAPER.renewal_differs:.0f} points.",
    details={"RenewalGain": "points"},
)
def reviving_renews(evidence: Evidence) -> Finding:
    """Judge F4d."""
    limits = evidence.thresholds
    networks, cells, details = _renewals(evidence, limits.damaged, limits.renewal_gains)
    limit = limits.renewal_differs
    return Finding.of(decide(cells, Within(-limit, limit)), networks, details=details)


@measured
def _renewals(
    evidence: Evidence, damaged: float, gains_least: float
) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the difference of the renewals, and the gain by renewing the dead units."""
    runs = pd.concat(_damage(evidence, name) for name in DAMAGED)
    cells, gains = [], []
    for damage, words in DAMAGES.items():
        loss, of_renewed, of_placebo = _losses_to(
            runs, damage, [f"high_{damage}{arm}" for arm in ("", *_RENEWALS)]
        )
        # Where nothing was lost, there is nothing to revive; where nothing was gained, both may do nothing.
        gained = loss - pd.concat([of_renewed, of_placebo], axis=1).min(axis=1, skipna=False)
        revived = (loss >= damaged) & (gained > gains_least)
        cells.append(_cell(words, (of_placebo - of_renewed).where(revived), runs))
        gains.append(_cell(words, loss - of_renewed, runs))
    networks = int(runs["intervention"].str.startswith("high_").sum())
    return networks, cells, {"RenewalGain": mean_of(gains)}
