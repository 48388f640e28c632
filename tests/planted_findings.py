"""A made-up study of 24 seeds whose findings are planted, F1a to F7a, one with the opposite effects, and one without any.

It has the experiments, factors and levels that the rules ask for and no others. A seed's deviation is small, and another in every network.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import planted_networks
import planted_tables
from planted_deaths import SD, dead_shares
from planted_effects import Effects
from small_evidence import SmallResults

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.results import schemas, store

__all__ = ["NOTHING", "OPPOSITE", "PLANTED", "SD", "evidence", "settled", "tables_of"]

PLANTED = Effects()
OPPOSITE = Effects(
    without_mean=0.1,
    offset=0.8,
    frozen=-0.5,
    hidden=0.0,
    bias_part_error=0.5,
    octaves=1.5,
    spread=0.0,
    line=0.01,
    forbidden=0.0,
    flat=0.2,
    rescued=0.88,
    ten=0.3,
    two=0.05,
    strictly=0.9,
    nearly=0.1,
    renewal=0.3,
    soon=(0.1, 0.1, 0.9),
    wake=3.0,
    asleep=1000,
)
"""No finding holds, but for F1b, without whose effect there would be no control of F1a."""
NOTHING = replace(
    OPPOSITE, without_mean=0.0, offset=0.01, trained=0.0, frozen=0.0, mass=0.1, damage=0.0, renewal=0.0
)
"""Nothing dies, and nothing is lost: no finding holds."""


def settled(finding: str, effects: Effects = PLANTED, **changed: Any) -> pd.Series:
    """The row of the verdict on a finding, with cells and details as JSON has them; arguments as of :func:`evidence`."""
    row = settled_by(evidence(effects, **changed), [finding]).iloc[0].copy()
    row["details"], row["cells"] = json.loads(row["details"]), json.loads(row["cells"])
    return row


def evidence(
    effects: Effects = PLANTED, *, runs: Callable[[pd.DataFrame], pd.DataFrame] | None = None, **changed: Any
) -> Evidence:
    """The evidence of a study with ``effects``, some of them ``changed``, and with a change of its ``runs``."""
    tables = dict(tables_of(replace(effects, **changed)))
    if runs is not None:
        tables["runs"] = store.checked(
            "runs", runs(tables["runs"].copy()).reset_index(drop=True), Path("runs")
        )
    return Evidence(SmallResults(tables))


@cache
def tables_of(effects: Effects) -> dict[str, pd.DataFrame]:
    """The tables of a study with such effects."""
    networks = planted_networks.networks()
    shares = dead_shares(networks, effects)
    tables = {
        "runs": planted_tables.runs(networks, shares, effects),
        "layers": planted_tables.layers(networks, shares, effects),
        "units": planted_tables.units(networks, effects),
        "activity": planted_tables.activity(networks, effects),
        "checkpoints": pd.DataFrame(columns=list(schemas.CHECKPOINTS.columns)),
    }
    return {
        name: store.checked(
            name, table[list(schemas.TABLES[name].columns)].reset_index(drop=True), Path(name)
        )
        for name, table in tables.items()
    }
