"""Remedies side by side: what each network of the ``remedies`` experiments has that the baseline has not, in one name.

The experiments whose names begin with ``remedies`` vary one thing at a time. ReLU on the inputs and with the initialisation that most of
their networks have is the baseline, with every initial bias that the experiment called ``remedies`` has; a remedy is named after what
differs from it. In the name of an architecture or an optimiser, what follows the first underscore is the remedy: ``adam_clipped`` is
Adam with a remedy called clipped. A remedy that sets the initial bias stands beside each of the baseline's.
"""

from typing import Any

import pandas as pd

from dying_relu.analysis import latex

PREFIX = "remedies"
FACTORS = ["activation", "slope", "initialisation", "inputs", "intervention"]
BASELINE = "ReLU"
LEAKY = latex.activation_name("leaky_relu", 0.01)


def side_by_side(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of all experiments of remedies.

    Args:
        runs: the study's table of runs.

    Returns:
        Those of experiments that begin with ``PREFIX``, with a column ``remedy``, and with architecture, optimiser and initial bias of the
        baseline that they stand beside. ``remedy`` is categorical, in the order of the table, with the baseline first.
    """
    found = runs[runs["experiment"].str.startswith(PREFIX)]
    architectures, optimisers = (
        [name.partition("_") for name in found[factor]] for factor in ("architecture", "optimiser")
    )
    common = {name: found[name].mode().iloc[0] for name in ("initialisation", "inputs") if len(found)}
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
    everything = _beside_each_bias(named)
    order = dict.fromkeys([BASELINE, *everything["remedy"]])
    present = set(everything["remedy"])
    return everything.assign(
        remedy=pd.Categorical(everything["remedy"], [name for name in order if name in present])
    )


def _beside_each_bias(named: pd.DataFrame) -> pd.DataFrame:
    """The runs, those with an initial bias that no baseline has once for each that one has, and named after their own."""
    relu = named[(named["experiment"] == PREFIX) & (named["remedy"] == BASELINE)]
    biases = list(relu["initial_bias"].unique())
    usual = named["initial_bias"].isin(biases)
    others = named[~usual]
    own = [f"bias {bias:g}" for bias in others["initial_bias"]]
    names = [
        bias if remedy == BASELINE else f"{remedy}, {bias}"
        for remedy, bias in zip(others["remedy"], own, strict=True)
    ]
    repeated = [others.assign(remedy=names, initial_bias=bias) for bias in biases]
    return pd.concat([named[usual], *repeated], ignore_index=True)


def _name(row: dict[Any, Any], common: dict[str, object], others: list[str]) -> str:
    parts = []
    if row["activation"] != "relu":
        parts.append(latex.activation_name(row["activation"], row["slope"]))
    if row["initialisation"] != common["initialisation"]:
        parts.append(f"{latex.name(row['initialisation'])} initialisation")
    if row["inputs"] != common["inputs"]:
        parts.append(f"{latex.name(row['inputs'])} inputs")
    if row["intervention"] != "none":
        parts.append(latex.name(row["intervention"]))
    parts += [latex.name(other) for other in others if other]
    return ", ".join(parts) or BASELINE
