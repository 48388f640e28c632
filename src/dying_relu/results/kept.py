"""The rows and numbers of shards' tables that a study's own tables keep: what verdicts, figures, tables, numbers and pages read.

A study's tables are tracked, and a clone makes the paper and every verdict from them; whole tables of every unit at every checkpoint
would be twenty times as large. Those of the shards stay whole. What is not kept of a row is missing in it, so that readers need not
know; two columns of units are rounded. Units and checkpoints of experiments that are not named here, such as those of a study of your
own, are kept whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import Schema
from pyarrow.types import is_boolean, is_integer

DEAD = "dead_all"
"""The definition of death that verdicts rest on."""

DEFINITIONS = [DEAD, "dead", "inactive", "saturated"]
"""The definitions that are recorded of single units. The verdict on each claim follows from what is kept by all of them; literal
readings, findings and the table of deaths by the first."""

OF_INPUTS = ["offset_share", "input_mean_norm", "input_mean_norm_1", "pre_activation_sd"]
"""Columns of layers that are read of the first layer before the first step: the law (F2), the dose (F1), the phase diagram (F7)."""

OF_OUTPUTS = ["active_share"]
"""Columns of layers that are read at the end of training, and of ``PLAIN`` experiments only."""

PLAIN = ("causes", "optimisers")

FOLLOWED = ("when", "recovery")
"""Experiments whose layers are read in the course of training: by F5, and by the notebook of results. Of others the explorer shows
the first replicate so, and beginning and end of all."""

OF_CHANCES = ["active_share", "woken_examples", "woken_minibatches"]
"""Columns of units that C3 and the table of examples read, of all units of ``recovery``."""

OF_MOTION = ["bias", "weight_norm"]
"""Columns of units that C4 and C8 read of dead units: whether an update moves them."""

OF_MEANS = ["bias", "mean_pre_activation"]
"""Columns of units that F1e and C7 read where a unit dies: before its death and after."""

OF_FALLS = [
    "pre_activation_max",
    "pre_activation_max_new_weights",
    "pre_activation_max_new_inputs",
]
"""Columns of units that the table of deaths reads, too, of the updates that kill a unit."""

OF_SIGNS = ["negative_weights"]
"""Columns of units that C9 reads: before training, and of all units of a layer where one of them dies."""

DECIMALS = 3
"""Of the shares of woken examples, which enter means over thousands of units only: whole examples of a thousand."""

BITS = 11
"""Significant bits of mean pre-activations, which enter medians over units only: a relative error below 1 in 2,000."""

UNREAD = {
    "runs": ["train_loss", "train_accuracy", "test_loss", "effective_rank", "dormant_0_fraction"],
    "layers": ["effective_bias"],
    "units": [
        "pre_activation_min",
        "pre_activation_q05",
        "pre_activation_q25",
        "pre_activation_median",
        "pre_activation_q75",
        "pre_activation_q95",
        "mean_abs_activation",
    ],
}
"""Columns that nothing reads of a study's tables."""

DECAYED = ("sgd", "sgd_weight_decay")
"""The optimisers of ``recovery`` under which C4 asks whether dead units stay where they are, in the first layer."""


def kept(name: str, table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The part of a table that a study keeps.

    Args:
        name: of the table.
        table: whole, of some runs, with every row of each.
        runs: at least these runs' rows of the table of runs, whole.

    Returns:
        Some of the rows in their order, with all columns; what is not kept of a row is missing.
    """
    reduce = REDUCTIONS.get(name)
    return table if reduce is None or table.empty else reduce(table, runs.set_index("run"))


def _runs(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    del runs
    return table.assign(**dict.fromkeys(UNREAD["runs"], np.nan))


def _checkpoints(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Those of the first replicate: no rule reads losses in the course of training, a reader may look at one. And all curvatures."""
    first = table["run"].map(runs["replicate"]) == 0
    return table[first | table["largest_curvature"].notna()] if "largest_curvature" in table else table[first]


def _layers(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Counts on the training probe set; those on the test one are in the table of runs, added up."""
    steps, followed = table["run"].map(runs["steps"]), table["run"].map(runs["experiment"]).isin(FOLLOWED)
    first = table["run"].map(runs["replicate"]) == 0
    whole = followed | first | (table["step"] == 0) | (table["step"] == steps)
    table = table[(table["probe"] == "train") & whole]
    start = (table["step"] == 0) & (table["depth"] == 1)
    end = table["step"] == table["run"].map(runs["steps"])
    plain = table["run"].map(runs["experiment"]).isin(PLAIN)
    kept_rows = dict.fromkeys(OF_INPUTS, start) | dict.fromkeys(OF_OUTPUTS, end & plain)
    numbers = {name: table[name].where(rows) for name, rows in kept_rows.items()}
    return table.assign(**numbers, **dict.fromkeys(UNREAD["layers"], np.nan))


def _units(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """By experiment, of networks that did not overflow: no rule follows units of one that did."""
    experiment = table["run"].map(runs["experiment"])
    parts = [table[~experiment.isin(OF_UNITS)]]
    for name, reduce in OF_UNITS.items():
        units = table[(experiment == name) & ~table["run"].map(runs["overflowed"]).astype(bool)]
        if len(units):
            unread = {column: np.float32(np.nan) for column in UNREAD["units"]}
            parts.append(_rounded(reduce(_in_order(units.assign(**unread)), runs)))
    return pd.concat(parts, ignore_index=True)


def _recovery(units: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """All units: C3 counts every one, and every example on which it sleeps."""
    deaths = _at_deaths(units, [DEAD])
    followed = units["run"].map(runs["optimiser"]).isin(DECAYED) & (units["depth"] == 1)
    idle = followed.to_numpy() & _while_dead(units)
    return _only(
        units, {"bias": deaths | idle, "weight_norm": idle, "mean_pre_activation": deaths}, OF_CHANCES
    )


def _mean_biases(units: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Units without an intervention that are dead at the end and were not before the first step: no rule follows others."""
    untouched = units["run"].map(runs["intervention"]) == "none"
    units = units[untouched.to_numpy() & _at_deaths(units, [DEAD])]
    return _only(units, {}, OF_MEANS)


def _anatomy(units: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """All units: C9 sets those that die against the others of their layer."""
    del runs
    deaths = _at_deaths(units, [DEAD])
    layers = units[["run", "layer", "step"]].assign(deaths=_at_deaths(units, DEFINITIONS))
    signs = layers.groupby(["run", "layer", "step"], sort=False)["deaths"].transform("any")
    idle = _while_dead(units)
    rows = dict.fromkeys([*OF_FALLS, *OF_MEANS], deaths)
    rows |= {
        "bias": deaths | idle,
        "weight_norm": idle,
        "negative_weights": signs.to_numpy() | (units["step"] == 0).to_numpy(),
    }
    return _only(units, rows)


def _rounded(units: pd.DataFrame) -> pd.DataFrame:
    """The units with shares of woken examples and mean pre-activations rounded: their last bytes would be a fifth of the study's tables."""
    mantissas, exponents = np.frexp(units["mean_pre_activation"].to_numpy(np.float32))
    means = np.ldexp(np.round(mantissas * 2**BITS) / 2**BITS, exponents)
    return units.assign(
        woken_examples=units["woken_examples"].round(DECIMALS),
        mean_pre_activation=means.astype(np.float32),
    )


def _in_order(units: pd.DataFrame) -> pd.DataFrame:
    """The rows of a unit one after the other, by step; networks and layers stay in their order."""
    run, layer = (pd.factorize(units[name])[0] for name in ("run", "layer"))
    order = np.lexsort((units["step"], units["unit"], layer, run))
    return units.iloc[order].reset_index(drop=True)


def _at_deaths(units: pd.DataFrame, definitions: Sequence[str]) -> np.ndarray:
    """(rows,) whether the unit dies before its next row or has died since the one before, by any of ``definitions``."""
    same = _next_is_same(units)
    dies = np.zeros(len(units), bool)
    for definition in definitions:
        dead = _state(units, definition)
        dies[:-1] |= same[:-1] & ~dead[:-1] & dead[1:]
    return dies | np.append(False, dies[:-1])


def _while_dead(units: pd.DataFrame) -> np.ndarray:
    """(rows,) whether the unit is dead, or was in its row before."""
    dead = _state(units, DEAD)
    return dead | np.append(False, (dead & _next_is_same(units))[:-1])


def _state(units: pd.DataFrame, definition: str) -> np.ndarray:
    """(rows,) bool; where a unit was not counted on all examples, its count on the probe set stands for it."""
    return units[definition].fillna(units["dead"]).to_numpy(dtype=bool)


def _next_is_same(units: pd.DataFrame) -> np.ndarray:
    same = np.zeros(len(units), bool)
    names = [units[key].to_numpy() for key in ("run", "layer", "unit")]
    same[:-1] = np.all([name[1:] == name[:-1] for name in names], axis=0)
    return same


def _only(
    table: pd.DataFrame, rows: Mapping[str, pd.Series | np.ndarray], everywhere: Sequence[str] = ()
) -> pd.DataFrame:
    """The table without numbers of units but those in ``rows`` of a column, and those of the columns ``everywhere``."""
    measured = [name for name in OF_ALL_UNITS if name not in everywhere]
    nowhere = np.zeros(len(table), bool)
    return table.assign(**{name: table[name].where(rows.get(name, nowhere)) for name in measured})


OF_ALL_UNITS = list(dict.fromkeys([*OF_CHANCES, *OF_MOTION, *OF_MEANS, *OF_FALLS, *OF_SIGNS]))

MAY_BE_MISSING = {
    "runs": UNREAD["runs"],
    "layers": [*OF_INPUTS, *OF_OUTPUTS, *UNREAD["layers"]],
    "units": [*OF_ALL_UNITS, *UNREAD["units"]],
}
"""Columns of a study's tables whose numbers are not kept in all rows, by table."""

REDUCTIONS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "runs": _runs,
    "checkpoints": _checkpoints,
    "layers": _layers,
    "units": _units,
}
"""The reduction of each table that is not kept whole."""

OF_UNITS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "recovery": _recovery,
    "mean_biases": _mean_biases,
    "anatomy": _anatomy,
}
"""The experiments whose units rules read, each other numbers."""

SPLIT = {*OF_MOTION, *OF_MEANS, *OF_FALLS}
"""Numbers that hardly repeat: their bytes are stored apart, as are those of whole numbers, which zstd makes smaller than a dictionary."""


def stored(name: str, types: Schema) -> dict[str, Any]:
    """Settings of the file of a study's table: as small as possible, since it is written once and tracked.

    Args:
        name: of the table.
        types: of its columns.

    Returns:
        Keyword arguments of :class:`pyarrow.parquet.ParquetWriter`.
    """
    split = [
        field.name for field in types if is_integer(field.type) or (name == "units" and field.name in SPLIT)
    ]
    repeated = [
        field.name for field in types if field.name not in ("run", *split) and not is_boolean(field.type)
    ]
    return {
        "compression": "zstd",
        "compression_level": 19,
        "use_dictionary": repeated,
        "column_encoding": dict.fromkeys(split, "BYTE_STREAM_SPLIT"),
        "dictionary_pagesize_limit": 2**24,
        "data_page_size": 2**23,
    }
