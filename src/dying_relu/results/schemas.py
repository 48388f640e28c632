"""The tables a study produces: what a row is, which columns there are, and what is true of every row.

==================  =====================================================================
table               a row is
==================  =====================================================================
``runs``            a run: its factors and its final metrics
``checkpoints``     a run at a checkpoint: loss, accuracy, divergence
``layers``          a hidden layer of a run at a checkpoint on a probe set: counts of units
``units``           a unit of a run at a checkpoint (experiments with ``record_units``)
``validation``      a published or theoretical probability, and our estimate of it
``born_dead``       random networks of one shape before training: how many are constant
==================  =====================================================================

``units`` and every count come from :mod:`dying_relu.units.definitions`.
"""

from collections.abc import Callable, Sequence

import pandas as pd
import pandera.pandas as pa

_fraction = pa.Check.in_range(0, 1)
_not_negative = pa.Check.ge(0)


def _key() -> pa.Column:
    return pa.Column(str)


def _fraction_or_nan() -> pa.Column:
    return pa.Column(float, _fraction, nullable=True)


def _count() -> pa.Column:
    return pa.Column("int64", _not_negative)


def _real(*, nullable: bool = False) -> pa.Column:
    return pa.Column(float, nullable=nullable)


def _measured(*checks: pa.Check, nullable: bool = False) -> pa.Column:
    """A number as the networks have it; the table of units is long."""
    return pa.Column("float32", list(checks), nullable=nullable)


def _law(name: str, holds: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Something that is true of every row."""
    # By default pandera looks for rows without any value first, which takes longer than the rest and finds none.
    return pa.Check(holds, name=name, ignore_na=False)


def _at_most(smaller: str, larger: str) -> pa.Check:
    return _law(f"{smaller} <= {larger}", lambda table: table[smaller] <= table[larger])


def _table(
    columns: dict[str, pa.Column], *, name: str, unique: list[str], checks: Sequence[pa.Check] = ()
) -> pa.DataFrameSchema:
    """A table with just these columns, in this order."""
    return pa.DataFrameSchema(
        columns, checks=list(checks), unique=unique, strict=True, coerce=True, ordered=True, name=name
    )


def narrowed(schema: pa.DataFrameSchema, columns: Sequence[str]) -> pa.DataFrameSchema:
    """What ``schema`` says of some of its ``columns``: the columns, their key if all of it is there, the laws that are about them."""
    kept = {name: column for name, column in schema.columns.items() if name in columns}
    nothing = pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in kept.items()})
    return _table(
        kept,
        name=schema.name,
        unique=list(schema.unique) if set(schema.unique) <= set(kept) else [],
        checks=[law for law in schema.checks if _is_about(law, nothing)],
    )


def _is_about(law: pa.Check, table: pd.DataFrame) -> bool:
    try:
        law(table)
    except KeyError:
        return False
    return True


RUNS = _table(
    {
        "run": _key(),
        "experiment": _key(),
        "shard": _key(),
        "dataset": _key(),
        "architecture": _key(),
        "optimiser": _key(),
        "activation": _key(),
        "slope": _real(nullable=True),
        "initialisation": _key(),
        "initial_bias": _real(),
        "learning_rate": pa.Column(float, pa.Check.gt(0)),
        "replicate": _count(),
        "pixels": pa.Column(str, pa.Check.isin(["standardised", "raw"])),
        "batch_size": _count(),
        "steps": _count(),
        "train_examples": _count(),
        "precision": pa.Column(str, pa.Check.isin(["float32", "bf16"])),
        "stack_size": _count(),
        "hidden_units": _count(),
        "parameters": _count(),
        "diverged": pa.Column(bool),
        "diverged_step": pa.Column("Int64", _not_negative, nullable=True),
        "train_loss": _real(nullable=True),
        "train_accuracy": _fraction_or_nan(),
        "test_loss": _real(nullable=True),
        "test_accuracy": _fraction_or_nan(),
        "dead_fraction": _fraction_or_nan(),
        "dead_fraction_test": _fraction_or_nan(),
        "dead_on_both_fraction": _fraction_or_nan(),
        "inactive_fraction": _fraction_or_nan(),
        "saturated_fraction": _fraction_or_nan(),
        "dormant_0_fraction": _fraction_or_nan(),
        "dormant_0025_fraction": _fraction_or_nan(),
        "dormant_01_fraction": _fraction_or_nan(),
        "born_dead_fraction": _fraction_or_nan(),
        "died_fraction": _fraction_or_nan(),
        "revived_fraction": _fraction_or_nan(),
        "effective_rank": pa.Column(float, _not_negative, nullable=True),
        "pruned_difference": pa.Column(float, _not_negative, nullable=True),
        "pruned_answers": _fraction_or_nan(),
        "mean_slope": _real(nullable=True),
    },
    checks=[
        _law("diverged_step iff diverged", lambda t: t["diverged_step"].notna() == t["diverged"]),
        _law("final metrics iff not diverged", lambda t: t["diverged"] == t["dead_fraction"].isna()),
    ],
    unique=["run"],
    name="runs",
)

CHECKPOINTS = _table(
    {
        "run": _key(),
        "step": _count(),
        "train_loss": _real(nullable=True),
        "train_accuracy": _fraction_or_nan(),
        "test_loss": _real(nullable=True),
        "test_accuracy": _fraction_or_nan(),
        "diverged": pa.Column(bool),
    },
    unique=["run", "step"],
    name="checkpoints",
)

LAYERS = _table(
    {
        "run": _key(),
        "step": _count(),
        "layer": _key(),
        "depth": _count(),
        "probe": pa.Column(str, pa.Check.isin(["train", "test"])),
        "units": _count(),
        "dead": _count(),
        "inactive": _count(),
        "saturated": _count(),
        "dormant_0": _count(),
        "dormant_0025": _count(),
        "dormant_01": _count(),
        "died": _count(),
        "revived": _count(),
        "active_share": pa.Column(float, _fraction),
        "slope": _real(nullable=True),
    },
    checks=[
        _at_most("dead", "inactive"),
        _at_most("dead", "saturated"),
        _at_most("dead", "dormant_0"),
        _at_most("dormant_0", "dormant_0025"),
        _at_most("dormant_0025", "dormant_01"),
        _at_most("inactive", "units"),
        _at_most("dormant_01", "units"),
    ],
    unique=["run", "step", "layer", "probe"],
    name="layers",
)

UNITS = _table(
    {
        "run": _key(),
        "step": _count(),
        "layer": _key(),
        "depth": _count(),
        "unit": _count(),
        "dead": pa.Column(bool),
        "inactive": pa.Column(bool),
        "saturated": pa.Column(bool),
        "dormant_0": pa.Column(bool),
        "pre_activation_min": _measured(),
        "pre_activation_q05": _measured(),
        "pre_activation_q25": _measured(),
        "pre_activation_median": _measured(),
        "pre_activation_q75": _measured(),
        "pre_activation_q95": _measured(),
        "pre_activation_max": _measured(),
        "mean_abs_activation": _measured(_not_negative),
        "active_share": _measured(_fraction),
        "bias": _measured(),
        "weight_norm": _measured(_not_negative),
        "negative_weights": _measured(_fraction),
        "pre_activation_max_new_weights": _measured(nullable=True),
        "pre_activation_max_new_inputs": _measured(nullable=True),
        "woken_examples": _measured(_fraction, nullable=True),
        "woken_minibatches": _measured(_fraction, nullable=True),
    },
    checks=[
        _law("dead implies inactive", lambda t: ~t["dead"] | t["inactive"]),
        _at_most("pre_activation_min", "pre_activation_max"),
    ],
    unique=["run", "step", "layer", "unit"],
    name="units",
)

TABLES = {"runs": RUNS, "checkpoints": CHECKPOINTS, "layers": LAYERS, "units": UNITS}
"""What training leaves: a file for each shard, and for the study."""

VALIDATION = _table(
    {
        "check": _key(),
        "source": _key(),
        "quantity": _key(),
        "kind": pa.Column(str, pa.Check.isin(["exact", "reported"])),
        "published": _key(),
        "low": pa.Column(float, _fraction),
        "high": pa.Column(float, _fraction),
        "ours": pa.Column(float, _fraction),
        "standard_error": pa.Column(float, _fraction),
        "trials": pa.Column("int64", pa.Check.gt(0)),
        "difference": pa.Column(float, pa.Check.in_range(-1, 1)),
        "agrees": pa.Column(bool),
    },
    checks=[
        _at_most("low", "high"),
        pa.Check(lambda t: (t["low"] == t["high"]) == (t["kind"] == "exact"), name="exact iff one value"),
    ],
    unique=["check"],
    name="validation",
)

BORN_DEAD = _table(
    {
        "initialisation": _key(),
        "inputs": _key(),
        "width": _count(),
        "weight_layers": _count(),
        "networks": pa.Column("int64", pa.Check.gt(0)),
        "born_dead": _count(),
    },
    checks=[_at_most("born_dead", "networks")],
    unique=["initialisation", "inputs", "width", "weight_layers"],
    name="born_dead",
)

SIMULATIONS = {"validation": VALIDATION, "born_dead": BORN_DEAD}
"""What is simulated without data; see :mod:`dying_relu.simulations`."""
