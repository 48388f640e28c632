"""C3: a unit that is not active is unlikely to recover."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, measured, ratio
from dying_relu.analysis.claims.verdict import Finding, Reading, claim
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.criteria import Below
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.thresholds import PAPER

EXPERIMENT = "recovery"
BY = ["optimiser"]


@claim(
    "C3",
    "Once a unit gets negative input it always outputs zero and is unlikely to recover",
    experiment="recovery",
    measure="share of the units silent on all training examples at a checkpoint that are active on one at the next",
    rule=f"Charitable: negative on all training examples. ReLU networks that trained; each seed: of the units silent at a checkpoint, "
    f"the share active at the next; cells: optimisers. Holds if below {PAPER.unlikely:.0%}. Literal: negative on one example; of the cases "
    f"of a unit and an example on which it is not active, the share active at the next checkpoint, by the same threshold.",
    details={
        "PerExample": "percent",
        "PerMinibatch": "percent",
        "AtTheEnd": "percent",
        "AliveElsewhere": "percent",
    },
)
def recovery_is_unlikely(evidence: Evidence) -> Finding:
    """Judge C3."""
    networks, cells = _chances(evidence)
    criterion = Below(evidence.thresholds.unlikely)
    literal = decide(cells["PerExample"], criterion)
    return Finding.of(
        decide(cells["silent"], criterion),
        networks,
        Reading(
            literal.verdict,
            "of a unit that is negative on one example, whether it becomes active on that example",
        ),
        {name: mean_of(of) for name, of in cells.items() if name != "silent"},
    )


@measured
def _chances(evidence: Evidence) -> tuple[int, dict[str, list[Cell]]]:
    """The number of networks, and the chances to be active at a later checkpoint, by name; ``silent``: on all training examples."""
    units, since = evidence.relu_units(EXPERIMENT), evidence.since(EXPERIMENT)
    everything = reported(evidence.relu(EXPERIMENT))
    asleep = 1 - since["active_share"]
    shares = {
        "silent": by_seed(since[since["dead"]], BY, lambda rows: rows["revived"].mean()),
        "PerExample": _woken(since, "examples", asleep),
        "PerMinibatch": _woken(since, "minibatches", _inactive_minibatches(since)),
        "AtTheEnd": by_seed(_with_end(units).query("dead"), BY, lambda rows: rows["alive_end"].mean()),
        "AliveElsewhere": by_seed(
            since.assign(asleep=asleep, elsewhere=asleep.where(~since["dead"], 0.0)),
            BY,
            lambda rows: ratio(rows["elsewhere"].sum(), rows["asleep"].sum()),
        ),
    }
    return units["run"].nunique(), {name: cells_of(values, everything, BY) for name, values in shares.items()}


def _woken(since: pd.DataFrame, what: str, cases: pd.Series) -> pd.Series:
    """Share of the cases (examples or minibatches) on which a unit was not active that had it active at the next checkpoint.

    ``cases``: how many such cases each row of ``since`` stands for, up to a factor.
    """
    share = since[f"woken_{what}_next"]
    weighted = since[[*BY, "replicate"]].assign(
        cases=cases.where(share.notna(), 0.0), woken=share.fillna(0.0) * cases
    )
    return by_seed(weighted, BY, lambda rows: ratio(rows["woken"].sum(), rows["cases"].sum()))


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
    earlier = units.loc[units["step"] < units["steps"], [*UNIT, *BY, "replicate", "dead"]]
    return earlier.merge(final, on=UNIT, suffixes=("", "_end")).assign(
        alive_end=lambda table: ~table["dead_end"]
    )
