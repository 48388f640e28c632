"""C2: a dead unit outputs zero for any input."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, measured, ratio
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    if_any,
    pooled,
)
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C2",
    "A dying unit becomes inactive and outputs 0 for any input",
    experiment="causes",
    measure="share of the units dead on the training probe set that are alive on the test probe set",
    rule=f"ReLU networks at the end of training. Supported if no unit that is dead on training examples is alive on held-out "
    f"ones; supported with a limit if surely fewer than {1 - PAPER.nearly_all:.0%} of them are; refuted if surely more. (After data had "
    f"been looked at, units are compared one by one instead of by their numbers; the threshold stayed.)",
    details={
        "DeadOnTrain": "number",
        "DeadOnTest": "number",
        "Mlp": "percent",
        "Cnn": "percent",
        "Reverse": "percent",
        "Sampling": "words",
        "Recovery": "percent",
    },
)
def dead_on_any_input(evidence: Evidence) -> Finding:
    """Judge C2."""
    runs, effect, details = _alive_on_others(evidence)
    few = 1 - evidence.thresholds.nearly_all
    if effect.high == 0:
        verdict, note = SUPPORTED, "on the examples that were tried"
    elif effect.high < few:
        verdict, note = LIMITED, "for nearly any input: held-out examples wake some units"
    elif effect.low > few:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both few and many such units"
    return Finding(verdict, effect, runs, note, details)


@measured
def _alive_on_others(evidence: Evidence) -> tuple[int, Interval, dict[str, Detail]]:
    """The number of runs, the share of their units dead on training examples that are alive on others, and the details."""
    if evidence.definition.of_both is None:
        raise NotEnoughData("this definition is not recorded of single units on both probe sets")
    runs = evidence.relu("causes").query("not diverged")
    counts = _counts(runs)
    effect = pooled(_alive_elsewhere(counts, "train"))
    kinds = {
        kind.capitalize(): if_any(
            _alive_elsewhere(counts[runs["architecture"].str.startswith(kind)], "train")
        )
        for kind in ("mlp", "cnn")
    }
    recovery = evidence.runs.query("experiment == 'recovery' and activation == 'relu' and not diverged")
    reverse = if_any(_alive_elsewhere(counts, "test"))
    # Neither set is special to a network's dead units but for having trained it: the reverse is what drawing other examples does.
    by_sampling = reverse.estimate if isinstance(reverse, Interval) else 0.0
    details: dict[str, Detail] = {
        "DeadOnTrain": counts["train"].sum(),
        "DeadOnTest": counts["test"].sum(),
        **kinds,
        "Reverse": reverse,
        "Sampling": "most" if by_sampling >= effect.estimate / 2 else "a part",
        "Recovery": if_any(_alive_elsewhere(_counts(recovery), "train")),
    }
    return len(runs), effect, details


def _counts(runs: pd.DataFrame) -> pd.DataFrame:
    """How many units of each run are dead on the training probe set, on the held-out one, and on both."""
    columns = {"train": "dead_fraction", "test": "dead_fraction_test", "both": "dead_on_both_fraction"}
    units = {name: (runs[column] * runs["hidden_units"]).round() for name, column in columns.items()}
    return runs[["stratum", "replicate"]].assign(**units)


def _alive_elsewhere(counts: pd.DataFrame, probe: str) -> pd.DataFrame:
    """Of the units that are dead on ``probe``, "train" or "test", the share that is alive on the other; by replicate."""
    return by_replicate(counts, lambda g: ratio((g[probe] - g["both"]).sum(), g[probe].sum()))
