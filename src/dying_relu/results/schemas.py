"""The tables a study produces: the meaning of a row and of each column, and what is true of every row.

Columns are described here and nowhere else: :mod:`dying_relu.results.reference` writes ``docs/tables.md`` from this. The words dead,
inactive, saturated, dormant, died, revived and diverged are those of :mod:`dying_relu.units.definitions`, whose rows are made in
:mod:`dying_relu.training.rows`.
"""

from collections.abc import Callable, Sequence

import pandas as pd
import pandera.pandas as pa

_fraction = pa.Check.in_range(0, 1)
_not_negative = pa.Check.ge(0)
_positive = pa.Check.gt(0)


def _text(description: str, *, one_of: Sequence[str] = ()) -> pa.Column:
    return pa.Column(str, [pa.Check.isin(list(one_of))] if one_of else [], description=description)


def _flag(description: str) -> pa.Column:
    return pa.Column(bool, description=description)


def _count(description: str, check: pa.Check = _not_negative) -> pa.Column:
    return pa.Column("int64", check, description=description)


def _real(description: str, *checks: pa.Check, missing: str = "") -> pa.Column:
    """A number, not a number in those rows that ``missing`` names."""
    return pa.Column(
        float, list(checks), nullable=bool(missing), description=_with_missing(description, missing)
    )


def _share(description: str, *, missing: str = "") -> pa.Column:
    return _real(description, _fraction, missing=missing)


def _measured(description: str, *checks: pa.Check, missing: str = "") -> pa.Column:
    """A number as the networks have it; the table of units is long."""
    return pa.Column(
        "float32", list(checks), nullable=bool(missing), description=_with_missing(description, missing)
    )


def _with_missing(description: str, missing: str) -> str:
    return f"{description.removesuffix('.')}; NaN {missing}." if missing else description


def _law(name: str, holds: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Something that is true of every row."""
    # By default pandera looks for rows without any value first, which takes longer than the rest and finds none.
    return pa.Check(holds, name=name, ignore_na=False)


def _at_most(smaller: str, larger: str) -> pa.Check:
    return _law(f"{smaller} <= {larger}", lambda table: table[smaller] <= table[larger])


def _table(
    columns: dict[str, pa.Column],
    *,
    name: str,
    row: str,
    unique: list[str],
    checks: Sequence[pa.Check] = (),
) -> pa.DataFrameSchema:
    """A table with just these columns, in this order; ``row`` says what a row is."""
    return pa.DataFrameSchema(
        columns,
        checks=list(checks),
        unique=unique,
        strict=True,
        coerce=True,
        ordered=True,
        name=name,
        description=row,
    )


_RUN = "Name of the run: twelve digits of a digest of its settings and its seed."
_AT_THE_END = "on the training probe set at the last checkpoint"
_IF_DIVERGED = "if the run diverged"


def _final_share(description: str) -> pa.Column:
    return _share(description, missing=_IF_DIVERGED)


def narrowed(schema: pa.DataFrameSchema, columns: Sequence[str]) -> pa.DataFrameSchema:
    """What ``schema`` says of some of its ``columns``: the columns, their key if all of it is there, the laws that are about them."""
    kept = {name: column for name, column in schema.columns.items() if name in columns}
    nothing = pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in kept.items()})
    return _table(
        kept,
        name=schema.name,
        row=schema.description,
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
        "run": _text(_RUN),
        "experiment": _text("Name of the experiment in the study's file."),
        "shard": _text("Name of the job that trained the run."),
        "dataset": _text("Name of the data set."),
        "architecture": _text("Name of the architecture in the study's file."),
        "optimiser": _text("Name of the optimiser in the study's file."),
        "activation": _text("Activation of all hidden layers."),
        "slope": _real("Slope left of zero before training; 0 for ReLU.", missing="where there is none"),
        "initialisation": _text("Initialisation scheme of weights and biases."),
        "initial_bias": _real("Number added to every hidden bias before training."),
        "learning_rate": _real("Learning rate after the warm-up, if there is one.", _positive),
        "replicate": _count(
            "Number of the replicate, from 0; runs of a replicate share initial weights and minibatches."
        ),
        "pixels": _text(
            "Scale of the images: each channel with mean 0 and standard deviation 1, or raw in [0, 1].",
            one_of=["standardised", "raw"],
        ),
        "batch_size": _count("Examples in a minibatch."),
        "steps": _count("Updates planned; training ends with the last."),
        "train_examples": _count("Training examples used."),
        "precision": _text("Number format of matrix products in training.", one_of=["float32", "bf16"]),
        "stack_size": _count("Networks that were trained together; no number depends on it."),
        "hidden_units": _count("Units of all hidden layers; a channel of a convolution is one."),
        "parameters": _count("Numbers that training changes."),
        "diverged": _flag(
            "Whether a loss, on a minibatch or a probe set, or a parameter was infinite or not a number."
        ),
        "diverged_step": pa.Column(
            "Int64",
            _not_negative,
            nullable=True,
            description="Updates made when that was found first; missing if the run did not diverge.",
        ),
        "train_loss": _real(f"Mean cross-entropy in nats, {_AT_THE_END}.", missing=_IF_DIVERGED),
        "train_accuracy": _final_share(f"Share of examples classified correctly, {_AT_THE_END}."),
        "test_loss": _real(
            "Mean cross-entropy in nats, on the test probe set at the last checkpoint.", missing=_IF_DIVERGED
        ),
        "test_accuracy": _final_share(
            "Share of examples classified correctly, on the test probe set at the last checkpoint."
        ),
        "dead_fraction": _final_share(f"Share of hidden units dead {_AT_THE_END}."),
        "dead_fraction_test": _final_share(
            "Share of hidden units dead on the test probe set at the last checkpoint."
        ),
        "dead_on_both_fraction": _final_share(
            "Share of hidden units dead on both probe sets at the last checkpoint."
        ),
        "inactive_fraction": _final_share(f"Share of hidden units inactive {_AT_THE_END}."),
        "saturated_fraction": _final_share(f"Share of hidden units saturated {_AT_THE_END}."),
        "dormant_0_fraction": _final_share(f"Share of hidden units 0-dormant {_AT_THE_END}."),
        "dormant_0025_fraction": _final_share(f"Share of hidden units 0.025-dormant {_AT_THE_END}."),
        "dormant_01_fraction": _final_share(f"Share of hidden units 0.1-dormant {_AT_THE_END}."),
        "born_dead_fraction": _final_share(
            "Share of hidden units dead on the training probe set before training."
        ),
        "died_fraction": _final_share(f"Share of hidden units alive before training and dead {_AT_THE_END}."),
        "revived_fraction": _final_share(
            f"Share of hidden units dead at any checkpoint and alive {_AT_THE_END}."
        ),
        "effective_rank": _real(
            f"Singular values of the last hidden layer's activations that add up to 0.99 of their sum, {_AT_THE_END}.",
            _not_negative,
            missing=_IF_DIVERGED,
        ),
        "pruned_difference": _real(
            f"Largest change of a logit when the dead units are removed, over the largest absolute logit, {_AT_THE_END}.",
            _not_negative,
            missing=f"{_IF_DIVERGED}, and with layer normalisation",
        ),
        "pruned_answers": _share(
            "Share of the test probe set whose predicted class changes when the units dead on the training probe set are removed, "
            "at the last checkpoint.",
            missing=f"{_IF_DIVERGED}, and with layer normalisation",
        ),
        "mean_slope": _real(
            "Mean over the hidden layers of the slope left of zero at the last checkpoint; PReLU learns it.",
            missing=f"{_IF_DIVERGED}, and where there is none",
        ),
    },
    checks=[
        _law("diverged_step iff diverged", lambda t: t["diverged_step"].notna() == t["diverged"]),
        _law("final metrics iff not diverged", lambda t: t["diverged"] == t["dead_fraction"].isna()),
    ],
    unique=["run"],
    name="runs",
    row="a network that was trained: its settings, and its final metrics",
)

_STEP = "Updates made before the checkpoint."
_HAD_DIVERGED = "if the run had diverged"

CHECKPOINTS = _table(
    {
        "run": _text(_RUN),
        "step": _count(_STEP),
        "train_loss": _real("Mean cross-entropy in nats, on the training probe set.", missing=_HAD_DIVERGED),
        "train_accuracy": _share(
            "Share of the training probe set classified correctly.", missing=_HAD_DIVERGED
        ),
        "test_loss": _real(
            "Mean cross-entropy in nats, on the test probe set; measured at the last checkpoint only.",
            missing=f"before, and {_HAD_DIVERGED}",
        ),
        "test_accuracy": _share(
            "Share of the test probe set classified correctly; measured at the last checkpoint only.",
            missing=f"before, and {_HAD_DIVERGED}",
        ),
        "diverged": _flag("Whether the run had diverged by then."),
    },
    unique=["run", "step"],
    name="checkpoints",
    row="a network at a checkpoint",
)

LAYERS = _table(
    {
        "run": _text(_RUN),
        "step": _count(_STEP),
        "layer": _text("Name of the hidden layer: its kind, and its number among those of the kind."),
        "depth": _count("Number of the hidden layer, from 1 at the input."),
        "probe": _text(
            "Probe set on which units are counted; the test one at the last checkpoint only.",
            one_of=["train", "test"],
        ),
        "units": _count("Units of the layer."),
        "dead": _count("Units dead on the probe set."),
        "inactive": _count("Units inactive on the probe set."),
        "saturated": _count("Units saturated on the probe set."),
        "dormant_0": _count("Units 0-dormant on the probe set."),
        "dormant_0025": _count("Units 0.025-dormant on the probe set."),
        "dormant_01": _count("Units 0.1-dormant on the probe set."),
        "died": _count(
            "Units alive at the checkpoint before and dead at this one, on the training probe set; 0 in rows of the test one."
        ),
        "revived": _count(
            "Units dead at the checkpoint before and alive at this one, on the training probe set; 0 in rows of the test one."
        ),
        "active_share": _share(
            "Mean over the units of the share of examples (and positions) of the probe set with a positive pre-activation."
        ),
        "slope": _real("Slope left of zero; PReLU learns it.", missing="where there is none"),
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
    row="a hidden layer of a network at a checkpoint, on a probe set, until the network diverges",
)

_OVER_PROBE_SET = "over the examples (and positions) of the training probe set"
_OVER_FIRST = "over the first 200 examples (and positions) of the training probe set"
_UNKNOWN_BEFORE = "at the first checkpoint, and with normalisation"

UNITS = _table(
    {
        "run": _text(_RUN),
        "step": _count(_STEP),
        "layer": _text("Name of the hidden layer."),
        "depth": _count("Number of the hidden layer, from 1 at the input."),
        "unit": _count("Number of the unit in its layer, from 0; a channel of a convolution is one."),
        "dead": _flag("Whether the unit is dead on the training probe set."),
        "inactive": _flag("Whether it is inactive on the training probe set."),
        "saturated": _flag("Whether it is saturated on the training probe set."),
        "dormant_0": _flag("Whether it is 0-dormant on the training probe set."),
        "pre_activation_min": _measured(f"Smallest pre-activation {_OVER_PROBE_SET}."),
        "pre_activation_q05": _measured(f"5 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q25": _measured(f"25 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_median": _measured(f"Median of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q75": _measured(f"75 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q95": _measured(f"95 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_max": _measured(f"Largest pre-activation {_OVER_PROBE_SET}."),
        "mean_abs_activation": _measured(f"Mean absolute activation {_OVER_PROBE_SET}.", _not_negative),
        "active_share": _measured(
            "Share of the examples (and positions) of the training probe set with a positive pre-activation.",
            _fraction,
        ),
        "bias": _measured("The unit's bias."),
        "weight_norm": _measured("Euclidean norm of its incoming weights.", _not_negative),
        "negative_weights": _measured("Share of its incoming weights that are negative.", _fraction),
        "pre_activation_max_new_weights": _measured(
            "Largest pre-activation on the training probe set had only the weights changed since the checkpoint before.",
            missing=_UNKNOWN_BEFORE,
        ),
        "pre_activation_max_new_inputs": _measured(
            "Largest pre-activation on the training probe set had only the layer's inputs changed since the checkpoint before.",
            missing=_UNKNOWN_BEFORE,
        ),
        "woken_examples": _measured(
            "Of the examples (and positions) of the training probe set on which the pre-activation was not positive at the checkpoint "
            "before, the share on which it is now.",
            _fraction,
            missing=f"{_UNKNOWN_BEFORE}, and where there was none",
        ),
        "woken_minibatches": _measured(
            "Of the minibatches of the training probe set on which the unit was inactive at the checkpoint before, the share on which "
            "it is not any more.",
            _fraction,
            missing=f"{_UNKNOWN_BEFORE}, and where there was none",
        ),
    },
    checks=[
        _law("dead implies inactive", lambda t: ~t["dead"] | t["inactive"]),
        _at_most("pre_activation_min", "pre_activation_max"),
    ],
    unique=["run", "step", "layer", "unit"],
    name="units",
    row="a unit of a network at a checkpoint, until the network diverges, in experiments with `record_units`",
)

TABLES = {"runs": RUNS, "checkpoints": CHECKPOINTS, "layers": LAYERS, "units": UNITS}
"""The tables that training leaves: a file for each shard, and for the study."""

VALIDATION = _table(
    {
        "check": _text("Name of the check."),
        "source": _text(
            "Key of the source in the paper's references, label of an equation of the paper, or independent samples."
        ),
        "quantity": _text("The probability, in the paper's letters."),
        "kind": _text(
            "Whether the published value is one number or admits a range.", one_of=["exact", "reported"]
        ),
        "published": _text("The value as its source gives it; empty for a formula."),
        "low": _share("Smallest probability that the published value admits."),
        "high": _share("Largest probability that the published value admits."),
        "ours": _share("Share of our trials in which it happened."),
        "standard_error": _share(
            "Standard error of that share: of the exact value over as many trials, or of the estimate."
        ),
        "trials": _count("Networks or units that were tried.", _positive),
        "difference": _real(
            "The share minus the nearest value that the published one admits.", pa.Check.in_range(-1, 1)
        ),
        "agrees": _flag("Whether the difference is within the tolerance, in standard errors."),
    },
    checks=[
        _at_most("low", "high"),
        pa.Check(lambda t: (t["low"] == t["high"]) == (t["kind"] == "exact"), name="exact iff one value"),
    ],
    unique=["check"],
    name="validation",
    row="a published or theoretical probability, and our estimate of it",
)

BORN_DEAD = _table(
    {
        "initialisation": _text("Initialisation scheme of weights and biases."),
        "inputs": _text("The set of inputs: one point, a line, a plane or an interval."),
        "width": _count("Units of every hidden layer."),
        "weight_layers": _count("Layers of weights: one more than hidden layers."),
        "networks": _count("Random networks.", _positive),
        "born_dead": _count("Those of them that are constant on the inputs before training."),
    },
    checks=[_at_most("born_dead", "networks")],
    unique=["initialisation", "inputs", "width", "weight_layers"],
    name="born_dead",
    row="random networks of one shape before training",
)

SIMULATIONS = {"validation": VALIDATION, "born_dead": BORN_DEAD}
"""The tables that are simulated without data; see :mod:`dying_relu.simulations`."""
