"""C3: a unit that is not active is unlikely to recover."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import (
    Evidence,
    by_replicate,
    mean_by_replicate,
    measured_of_units,
    ratio,
)
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    pooled,
)
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C3",
    "Once a unit gets negative input it always outputs zero and is unlikely to recover",
    experiment="recovery",
    measure="share of the units dead at a checkpoint that are alive at the next",
    rule=f"The chance that a unit which is not active now is active at the next checkpoint, (a) on the same example, (b) on the same "
    f"minibatch, (c) on the whole probe set; unlikely: surely below {PAPER.unlikely:.0%}. Supported if all three are unlikely, (c) "
    f"also until the end of training, and most units that are not active on an example surely output zero on all others; supported "
    f"with a limit if (c) is unlikely at the next checkpoint and until the end; refuted if it is surely above {PAPER.unlikely:.0%} at "
    f"either. (Before data had been looked at, all three were the chance to be alive at the end, and (b) was computed, not observed.)",
    details={
        "PerExample": "percent",
        "PerMinibatch": "percent",
        "AtTheEnd": "percent",
        "AliveElsewhere": "percent",
    },
)
def recovery_is_unlikely(evidence: Evidence) -> Finding:
    """Judge C3."""
    runs, chances = _chances(evidence)
    unlikely = evidence.thresholds.unlikely
    dataset, at_the_end = chances["dataset"], chances["AtTheEnd"]
    until_the_end = max(dataset.high, at_the_end.high) < unlikely
    others = ("PerExample", "PerMinibatch", "AliveElsewhere")
    if until_the_end and max(chances[name].high for name in others) < unlikely:
        verdict, note = SUPPORTED, ""
    elif until_the_end:
        verdict, note = LIMITED, "true of a unit that is negative on every example, not on some"
    elif max(dataset.low, at_the_end.low) > unlikely:
        verdict, note = REFUTED, "even a unit that is dead on the whole probe set is likely to come back"
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both likely and unlikely"
    details: dict[str, Detail] = {name: chances[name] for name in chances if name != "dataset"}
    return Finding(verdict, dataset, runs, note, details)


@measured_of_units
def _chances(evidence: Evidence) -> tuple[int, dict[str, Interval]]:
    """The number of networks, and the chances to be active at a later checkpoint, by name; ``dataset``: on the whole probe set."""
    units = evidence.relu_units("recovery")
    since = evidence.since("recovery")
    return units["run"].nunique(), {
        "PerExample": _woken(since, "examples", 1 - since["active_share"]),
        "PerMinibatch": _woken(since, "minibatches", _inactive_minibatches(since)),
        "dataset": pooled(mean_by_replicate(since[since["dead"]], "revived")),
        "AtTheEnd": pooled(mean_by_replicate(_with_end(units).query("dead"), "alive_end")),
        "AliveElsewhere": pooled(
            by_replicate(since[["stratum", "replicate", "active_share", "dead"]], _alive_beside)
        ),
    }


def _woken(since: pd.DataFrame, what: str, cases: pd.Series) -> Interval:
    """Share of the cases (examples or minibatches) on which a unit was not active that had it active at the next checkpoint.

    ``cases``: how many such cases each row of ``since`` stands for, up to a factor.
    """
    share = since[f"woken_{what}_next"]
    weighted = since[["stratum", "replicate"]].assign(
        cases=cases.where(share.notna(), 0.0), woken=share.fillna(0.0) * cases
    )
    return pooled(by_replicate(weighted, lambda g: ratio(g["woken"].sum(), g["cases"].sum())))


def _inactive_minibatches(since: pd.DataFrame) -> pd.Series:
    """The number of minibatches on which each unit is inactive; expected, given that there is one.

    A unit of a linear layer that is active on a share p of the examples is inactive on one of M minibatches of B with probability
    q = (1 - p)^B, hence on M q, or on M q / (1 - (1 - q)^M) if on any. That of a convolution does not follow from p: 0.
    """
    minibatches = np.ceil(since["train_examples"] / since["batch_size"])
    inactive = (1 - since["active_share"]) ** since["batch_size"]
    # Where q is next to nothing, the one there is.
    any_at_all = (1 - (1 - inactive) ** minibatches).clip(lower=1e-9)
    expected = (minibatches * inactive / any_at_all).clip(lower=1.0)
    return expected.where(since["layer"].str.startswith("linear"), 0.0)


def _with_end(units: pd.DataFrame) -> pd.DataFrame:
    """The units at all checkpoints but the last: whether they are dead, and alive at the end."""
    final = units.loc[units["step"] == units["steps"], [*UNIT, "dead"]]
    earlier = units.loc[units["step"] < units["steps"], [*UNIT, "stratum", "replicate", "dead"]]
    return earlier.merge(final, on=UNIT, suffixes=("", "_end")).assign(
        alive_end=lambda table: ~table["dead_end"]
    )


def _alive_beside(since: pd.DataFrame) -> float:
    """Of the cases of a unit and an example on which it is not active, the share in which it is active on another example."""
    asleep = 1 - since["active_share"]
    return ratio(asleep[~since["dead"]].sum(), asleep.sum())
