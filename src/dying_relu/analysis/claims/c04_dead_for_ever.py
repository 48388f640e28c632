"""C4: a dead unit is dead for ever and plays no role."""

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.criteria import Below
from dying_relu.analysis.inference.decisions import DOES_NOT_HOLD, HOLDS, Cell, decide
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.thresholds import PAPER

EXPERIMENT = "recovery"
BY = ["optimiser"]
SCALED = 1e-4
"""Bias and weights were multiplied by one factor if their ratio is kept to this share: single precision, over some hundred steps."""
OPTIMISERS = {
    "Sgd": "sgd",
    "SgdDecay": "sgd_weight_decay",
    "Momentum": "momentum",
    "MomentumDecay": "momentum_weight_decay",
    "Adam": "adam",
}
"""Those that are reported by themselves: name of the detail -> optimiser."""


@claim(
    "C4",
    "A dead unit is dead for ever and plays no role",
    experiment="recovery",
    measure="share of the units dead at some checkpoint that are alive at the end",
    rule=f"Charitable: a dead unit stays dead, and to remove it changes nothing on the training examples. ReLU networks that trained; each "
    f"seed: of the units dead at some checkpoint but the last, the share alive at the end; cells: optimisers, with and without weight "
    f"decay. Holds if below {PAPER.forever:.0%}, and if removing all dead units changes no logit by more than "
    f"{PAPER.no_role:g} of the largest. Literal: no unit ever revives, and no answer on a test example changes.",
    details={f"{name}{layers}": "percent" for name in OPTIMISERS for layers in ("First", "Deeper")}
    | {
        "FrozenIntervals": "number",
        "FrozenRevivals": "number",
        "DecayIntervals": "number",
        "DecayRevivals": "number",
        "PrunedNetworks": "number",
        "PrunedDifference": "number",
        "PrunedAnswers": "percent",
    },
)
def dead_for_ever(evidence: Evidence) -> Finding:
    """Judge C4."""
    networks, cells, revivals, details = _returns(evidence)
    pruned = _pruned(evidence)
    decision = decide(cells, Below(evidence.thresholds.forever))
    changed = pruned["PrunedAnswers"] if pruned["PrunedNetworks"] else 0.0
    literally = revivals == 0 and changed == 0
    finding = Finding.of(
        decision,
        networks,
        Reading(
            HOLDS if literally else DOES_NOT_HOLD,
            f"{revivals} dead units were alive at a later checkpoint, and removing dead ones changed "
            f"{100 * changed:.2g} % of the answers on test examples",
        ),
        {**details, **pruned},
    )
    if pruned["PrunedDifference"] > evidence.thresholds.no_role:
        return Finding(
            DOES_NOT_HOLD,
            finding.effect,
            networks,
            note="removing dead units changes logits on the training examples",
            cells=finding.cells,
            literal=finding.literal,
            details=finding.details,
        )
    return finding


@measured
def _returns(evidence: Evidence) -> tuple[int, list[Cell], int, dict[str, Detail]]:
    """The networks, the shares of units that came back, the number that ever did, and the details."""
    units = evidence.relu_units(EXPERIMENT).sort_values("step")
    lives = _lives(units)
    earlier = lives[lives["was_dead"]]
    values = by_seed(earlier, BY, lambda rows: rows["alive_at_the_end"].mean())
    everything = reported(evidence.relu(EXPERIMENT))
    return (
        units["run"].nunique(),
        cells_of(values, everything, BY),
        int(lives["came_back"].sum()),
        {**_by_optimiser(earlier), **_frozen(units)},
    )


def _lives(units: pd.DataFrame) -> pd.DataFrame:
    """A row a unit: whether it was dead at a checkpoint but the last, alive at the end, and alive after it was dead.

    ``units`` is sorted by step.
    """
    last = units["step"] == units["steps"]
    ever_dead = units.groupby(UNIT, sort=False)["dead"].cummax()
    states = units.assign(
        was_dead=units["dead"] & ~last,
        alive_at_the_end=~units["dead"] & last,
        came_back=ever_dead & ~units["dead"],
    )
    keys = [*UNIT, *BY, "replicate", "depth"]
    return states.groupby(keys, sort=False)[["was_dead", "alive_at_the_end", "came_back"]].any().reset_index()


def _by_optimiser(lives: pd.DataFrame) -> dict[str, float]:
    """The share that came back under each optimiser, in the first layer and above it, of all units."""
    first = lives["depth"] == 1
    return {
        f"{name}{layers}": float(
            lives.loc[(lives["optimiser"] == optimiser) & here, "alive_at_the_end"].mean()
        )
        for name, optimiser in OPTIMISERS.items()
        for layers, here in {"First": first, "Deeper": ~first}.items()
    }


@measured
def _pruned(evidence: Evidence) -> dict[str, float]:
    """Changes from removing all dead units, over the trained ReLU networks of the experiment that had any."""
    runs = evidence.relu(EXPERIMENT)
    runs = runs[trained(runs) & (runs["dead_fraction_probe"] > 0)]
    runs = runs[runs["pruned_difference"].notna()]
    return {
        "PrunedNetworks": len(runs),
        "PrunedDifference": float(runs["pruned_difference"].max()),
        "PrunedAnswers": float(runs["pruned_answers"].mean()),
    }


def _frozen(units: pd.DataFrame) -> dict[str, float]:
    """Dead first-layer units from one checkpoint to the next: those that the proposition and its remark speak of, and who revived.

    A unit that is dead on all training examples gets no gradient. Plain gradient descent leaves its bias and its weights, hence
    their norm, as they are, bit by bit; weight decay multiplies both by one factor, up to rounding.
    """
    first = units[units["depth"] == 1]
    state = ["dead", "bias", "weight_norm"]
    then = first.groupby(UNIT, sort=False)[state].shift(-1)
    dead = first["dead"] & then["bias"].notna()
    same = (then["bias"] == first["bias"]) & (then["weight_norm"] == first["weight_norm"])
    across = first["bias"] * then["weight_norm"] - then["bias"] * first["weight_norm"]
    scaled = across.abs() <= SCALED * (first["bias"] * then["weight_norm"]).abs()
    kept = {
        "Frozen": dead & same & (first["optimiser"] == "sgd"),
        "Decay": dead & scaled & (first["optimiser"] == "sgd_weight_decay"),
    }
    revived = then["dead"].eq(False)
    return {
        f"{name}{what}": int(rows.sum())
        for name, intervals in kept.items()
        for what, rows in {"Intervals": intervals, "Revivals": intervals & revived}.items()
    }
