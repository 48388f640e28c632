"""Remedies side by side: the difference of each network of the ``remedies`` experiments from the baseline, in one name.

The experiments whose names begin with ``remedies`` vary one thing at a time. What most of their networks have in common is the
baseline; a remedy is named after what differs from it. In the name of an architecture or an optimiser, what follows the
first underscore is the remedy: ``adam_clipped`` is Adam with a remedy called clipped.

A lower rate is a remedy, too. At the highest rate it stands beside the others: the baseline as it was trained at the lowest rate, in
the same setting.
"""

from typing import Any

import pandas as pd

from dying_relu.analysis import latex

PREFIX = "remedies"
FACTORS = ["activation", "slope", "initialisation", "initial_bias"]
BASELINE = "ReLU"
LEAKY = latex.activation_name("leaky_relu", 0.01)


def side_by_side(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of all experiments of remedies.

    Args:
        runs: the study's table of runs.

    Returns:
        Those of experiments that begin with ``PREFIX``, with a column ``remedy``, and with architecture and optimiser without what
        makes them a remedy. ``remedy`` is categorical, in the order of the table. The baseline at the lowest rate is there twice:
        as such, and as the remedy of a lower rate at the highest.
    """
    found = runs[runs["experiment"].str.startswith(PREFIX)]
    architectures, optimisers = (
        [name.partition("_") for name in found[factor]] for factor in ("architecture", "optimiser")
    )
    common = {name: found[name].mode().iloc[0] for name in ("initialisation", "initial_bias") if len(found)}
    names = [
        _name(row, common, [architecture[2], optimiser[2]])
        for row, architecture, optimiser in zip(
            found[FACTORS].to_dict("records"), architectures, optimisers, strict=True
        )
    ]
    named = found.assign(
        remedy=names,
        architecture=[architecture[0] for architecture in architectures],
        optimiser=[optimiser[0] for optimiser in optimisers],
    )
    slowed = _slowed(named)
    everything = pd.concat([named, slowed], ignore_index=True)
    order = dict.fromkeys([BASELINE, *slowed["remedy"], *names])
    present = set(everything["remedy"])
    return everything.assign(
        remedy=pd.Categorical(everything["remedy"], [name for name in order if name in present])
    )


def _slowed(named: pd.DataFrame) -> pd.DataFrame:
    """The baseline at the lowest rate of the experiment that is called ``PREFIX``, as a remedy at the highest."""
    plain = named[(named["experiment"] == PREFIX) & (named["remedy"] == BASELINE)]
    low, high = plain["learning_rate"].min(), plain["learning_rate"].max()
    if not low < high:
        return plain.iloc[:0]
    return plain[plain["learning_rate"] == low].assign(remedy=f"lower rate ({low:g})", learning_rate=high)


def _name(row: dict[Any, Any], common: dict[str, object], others: list[str]) -> str:
    parts = []
    if row["activation"] != "relu":
        parts.append(latex.activation_name(row["activation"], row["slope"]))
    if row["initialisation"] != common["initialisation"]:
        parts.append(f"{latex.name(row['initialisation'])} initialisation")
    if row["initial_bias"] != common["initial_bias"]:
        parts.append(f"bias {row['initial_bias']:g}")
    parts += [latex.name(other) for other in others if other]
    return ", ".join(parts) or BASELINE
