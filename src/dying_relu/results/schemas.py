"""The tables a study produces: the meaning of a row and of each column, and the laws that every row obeys.

Columns are described here and nowhere else: :mod:`dying_relu.results.reference` writes ``docs/tables.md`` from this. The words dead,
nearly dead, inactive, saturated, dormant, died, revived, overflowed, diverged, collapsed and trained are those of
:mod:`dying_relu.units.definitions`; rows are made in :mod:`dying_relu.training.rows`.
"""

import pandera.pandas as pa

from dying_relu.results.columns import (
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    added_later,
    at_most,
    count,
    flag,
    law,
    measured,
    real,
    share,
    table,
    text,
)

VERSION = 2
"""The number of these schemas; every table's file carries that of its own. Version 1 was the first study's: it counted dead units on probe
sets only, and called diverged what here is overflowed."""

DIVERGED, COLLAPSED, TRAINED = "diverged", "collapsed", "trained"
"""Outcomes of a run, as :mod:`dying_relu.units.definitions` names them, which is not imported because of PyTorch."""

_RUN = "Name of the run: twelve digits of a digest of its settings and its seed."
_ON_PROBE_SET = "on the training probe set"
_AT_THE_END = f"{_ON_PROBE_SET} at the last checkpoint"
_ON_ALL = "on all training examples that the run used, at the end of training"
_ON_ALL_TEST = "on all test examples of the study, at the end of training"
_IF_OVERFLOWED = "if the run overflowed"


def _final_share(description: str) -> pa.Column:
    return share(description, missing=_IF_OVERFLOWED)


RUNS = table(
    {
        "run": text(_RUN),
        "experiment": text("Name of the experiment in the study's file."),
        "shard": text("Name of the job that trained the run."),
        "dataset": text("Name of the data set."),
        "architecture": text("Name of the architecture in the study's file."),
        "optimiser": text("Name of the optimiser in the study's file."),
        "activation": text("Activation of all hidden layers."),
        "slope": real("Slope left of zero before training; 0 for ReLU.", missing="where there is none"),
        "initialisation": text("Initialisation scheme of weights and biases."),
        "initial_bias": real("Number added to every hidden bias before training."),
        "learning_rate": real("Learning rate after the warm-up, if there is one.", POSITIVE),
        "replicate": count(
            "Number of the replicate; runs of a replicate share initial weights and minibatches."
        ),
        "inputs": text(
            "Name in the study's file of what was made of the images; `standardised` is each channel with mean 0 and standard deviation 1."
        ),
        "intervention": text("Name of the intervention in the study's file, or `none`."),
        "loss_function": text("Loss that training minimises.", one_of=["cross_entropy", "squared_error"]),
        "batch_size": count("Examples in a minibatch."),
        "steps": count("Updates planned; training ends with the last."),
        "train_examples": count("Training examples used."),
        "test_examples": count("Test examples used.", POSITIVE),
        "precision": text("Number format of matrix products in training.", one_of=["float32", "bf16"]),
        "stack_size": count("Networks that were trained together; no number depends on it."),
        "hidden_units": count("Units of all hidden layers; a channel of a convolution is one."),
        "parameters": count("Numbers that training changes."),
        "outcome": text("What became of the run.", one_of=[DIVERGED, COLLAPSED, TRAINED]),
        "overflowed": flag(
            "Whether a loss, on a minibatch or a probe set, or a parameter was infinite or not a number."
        ),
        "overflow_step": count("Updates made when that was found first.", missing="if it was not"),
        "initial_loss": real(
            "Mean loss of the first minibatch, before the first update; infinite if it overflowed.",
            NOT_NEGATIVE,
        ),
        "peak_loss": real("Largest mean loss of a minibatch; infinite if the run overflowed.", NOT_NEGATIVE),
        "train_loss": real(f"Mean loss {_ON_ALL}.", missing=_IF_OVERFLOWED),
        "train_accuracy": _final_share(f"Share of examples classified correctly, {_ON_ALL}."),
        "test_loss": real(f"Mean loss {_ON_ALL_TEST}.", missing=_IF_OVERFLOWED),
        "test_accuracy": _final_share(f"Share of examples classified correctly, {_ON_ALL_TEST}."),
        "constant": flag(
            f"Whether the predicted class is the same for every example, {_ON_ALL}; false if the run overflowed."
        ),
        "dead_fraction": _final_share(f"Share of hidden units dead {_ON_ALL}."),
        "dead_fraction_probe": _final_share(f"Share of hidden units dead {_AT_THE_END}."),
        "dead_fraction_test": _final_share(
            "Share of hidden units dead on the test probe set at the last checkpoint."
        ),
        "dead_on_both_fraction": _final_share(
            "Share of hidden units dead on both probe sets at the last checkpoint."
        ),
        "new_dead_fraction": _final_share(f"Share of hidden units dead {_ON_ALL}, and not before training."),
        "nearly_dead_fraction": _final_share(f"Share of hidden units nearly dead {_AT_THE_END}."),
        "inactive_fraction": _final_share(f"Share of hidden units inactive {_AT_THE_END}."),
        "saturated_fraction": _final_share(f"Share of hidden units saturated {_AT_THE_END}."),
        "dormant_0_fraction": _final_share(f"Share of hidden units 0-dormant {_AT_THE_END}."),
        "dormant_0025_fraction": _final_share(f"Share of hidden units 0.025-dormant {_AT_THE_END}."),
        "dormant_01_fraction": _final_share(f"Share of hidden units 0.1-dormant {_AT_THE_END}."),
        "born_dead_fraction": _final_share(
            "Share of hidden units dead on the training probe set before training."
        ),
        "died_fraction": _final_share(
            f"Share of hidden units alive before training and dead at the end, both {_ON_PROBE_SET}."
        ),
        "revived_fraction": _final_share(
            f"Share of hidden units dead at any checkpoint and alive {_AT_THE_END}."
        ),
        "effective_rank": real(
            f"Singular values of the last hidden layer's activations that add up to 0.99 of their sum, {_AT_THE_END}.",
            NOT_NEGATIVE,
            missing=_IF_OVERFLOWED,
        ),
        "pruned_difference": real(
            f"Largest change of a logit when the units dead on the training probe set are removed, over the largest absolute logit, "
            f"{_AT_THE_END}.",
            NOT_NEGATIVE,
            missing=f"{_IF_OVERFLOWED}, and with layer normalisation or centred activations",
        ),
        "pruned_answers": share(
            "Share of the test probe set whose predicted class changes when the units dead on the training probe set are removed, "
            "at the last checkpoint.",
            missing=f"{_IF_OVERFLOWED}, and with layer normalisation or centred activations",
        ),
        "mean_slope": real(
            "Mean over the hidden layers of the slope left of zero at the last checkpoint; PReLU learns it.",
            missing=f"{_IF_OVERFLOWED}, and where there is none",
        ),
    },
    checks=[
        law("overflow_step iff overflowed", lambda t: t["overflow_step"].notna() == t["overflowed"]),
        law("final metrics iff not overflowed", lambda t: t["overflowed"] == t["dead_fraction"].isna()),
        law("what overflowed has diverged", lambda t: ~t["overflowed"] | (t["outcome"] == DIVERGED)),
        law("what is constant has not trained", lambda t: ~t["constant"] | (t["outcome"] != TRAINED)),
        at_most("initial_loss", "peak_loss"),
        at_most("dead_fraction", "dead_fraction_probe"),
        at_most("new_dead_fraction", "dead_fraction"),
    ],
    unique=["run"],
    name="runs",
    row="a network that was trained: its settings, its outcome, and its final metrics",
)

_STEP = "Updates made before the checkpoint."
_HAD_OVERFLOWED = "if the run had overflowed"

CHECKPOINTS = table(
    {
        "run": text(_RUN),
        "step": count(_STEP),
        "train_loss": real("Mean loss on the training probe set.", missing=_HAD_OVERFLOWED),
        "train_accuracy": share(
            "Share of the training probe set classified correctly.", missing=_HAD_OVERFLOWED
        ),
        "test_loss": real(
            "Mean loss on the test probe set; measured at the last checkpoint only.",
            missing=f"before, and {_HAD_OVERFLOWED}",
        ),
        "test_accuracy": share(
            "Share of the test probe set classified correctly; measured at the last checkpoint only.",
            missing=f"before, and {_HAD_OVERFLOWED}",
        ),
        "overflowed": flag("Whether the run had overflowed by then."),
        "largest_curvature": added_later(
            real(
                "Largest eigenvalue of the Hessian of the mean loss on the first 200 examples of the training probe set, as one minibatch "
                "and without weight decay, with respect to all parameters; estimated by 20 steps of Lanczos's method, at most the true "
                "one but for rounding.",
                missing="at checkpoints that are not among `curvature_steps`, where the gradient jumps at the network, with surrogate "
                f"gradients, and {_HAD_OVERFLOWED}",
            )
        ),
    },
    unique=["run", "step"],
    name="checkpoints",
    row="a network at a checkpoint",
)

_NOT_COUNTED = "at checkpoints without such a count, and in rows of the test probe set"

_BEYOND = "where the sum of squares is beyond single precision"

LAYERS = table(
    {
        "run": text(_RUN),
        "step": count(_STEP),
        "layer": text("Name of the hidden layer: its kind, and its number among those of the kind."),
        "depth": count("Number of the hidden layer, from 1 at the input."),
        "probe": text(
            "Probe set on which units are counted; the test one at the last checkpoint only.",
            one_of=["train", "test"],
        ),
        "units": count("Units of the layer."),
        "dead": count("Units dead on the probe set."),
        "nearly_dead": count("Units nearly dead on the probe set."),
        "inactive": count("Units inactive on the probe set."),
        "saturated": count("Units saturated on the probe set."),
        "dormant_0": count("Units 0-dormant on the probe set."),
        "dormant_0025": count("Units 0.025-dormant on the probe set."),
        "dormant_01": count("Units 0.1-dormant on the probe set."),
        "died": count(
            "Units alive at the checkpoint before and dead at this one, on the training probe set; 0 in rows of the test one."
        ),
        "revived": count(
            "Units dead at the checkpoint before and alive at this one, on the training probe set; 0 in rows of the test one."
        ),
        "active_share": share(
            "Mean over the units of the share of examples (and positions) of the probe set with a positive pre-activation."
        ),
        "slope": real("Slope left of zero; PReLU learns it.", missing="where there is none"),
        "dead_all": count("Units dead on all training examples that the run used.", missing=_NOT_COUNTED),
        "new_dead_all": count(
            "Those of them that were not dead on all training examples before training.", missing=_NOT_COUNTED
        ),
        "offset_share": share(
            "Squared norm of the mean of the layer's inputs over the mean of their squared norm, over the probe set; for a convolution "
            "inputs are patches, with zeros beyond the border.",
            missing="where all inputs are 0, or their squares are beyond single precision",
        ),
        "input_mean_norm": real(
            "Euclidean norm of the mean of the layer's inputs over the probe set (and positions).",
            NOT_NEGATIVE,
        ),
        "input_mean_norm_1": real("Sum of the absolute values of that mean.", NOT_NEGATIVE),
        "pre_activation_sd": real(
            "Mean over the units of the standard deviation of the pre-activation over the examples (and positions) of the probe set.",
            NOT_NEGATIVE,
            missing=_BEYOND,
        ),
        "effective_bias": real(
            "Mean over the units of the mean pre-activation over the examples (and positions) of the probe set.",
            missing=_BEYOND,
        ),
    },
    checks=[
        at_most("dead", "inactive"),
        at_most("dead", "saturated"),
        at_most("dead", "dormant_0"),
        at_most("dormant_0", "dormant_0025"),
        at_most("dormant_0025", "dormant_01"),
        at_most("inactive", "units"),
        at_most("dormant_01", "units"),
        law(
            "dead on all only on the training probe set",
            lambda t: t["dead_all"].isna() | (t["probe"] == "train"),
        ),
        law("dead_all iff new_dead_all", lambda t: t["dead_all"].isna() == t["new_dead_all"].isna()),
        at_most("new_dead_all", "dead_all"),
        at_most("dead_all", "dead"),
        law("dead and nearly dead are apart", lambda t: t["dead"] + t["nearly_dead"] <= t["units"]),
    ],
    unique=["run", "step", "layer", "probe"],
    name="layers",
    row="a hidden layer of a network at a checkpoint, on a probe set, until the network overflows",
)

_OVER_PROBE_SET = "over the examples (and positions) of the training probe set"
_OVER_FIRST = "over the first 200 examples (and positions) of the training probe set"
_UNKNOWN_BEFORE = "at the first checkpoint, and with normalisation"

UNITS = table(
    {
        "run": text(_RUN),
        "step": count(_STEP),
        "layer": text("Name of the hidden layer."),
        "depth": count("Number of the hidden layer, from 1 at the input."),
        "unit": count("Number of the unit in its layer, from 0; a channel of a convolution is one."),
        "dead": flag("Whether the unit is dead on the training probe set."),
        "dead_all": flag(
            "Whether it is dead on all training examples that the run used.",
            missing="at checkpoints without such a count",
        ),
        "inactive": flag("Whether it is inactive on the training probe set."),
        "saturated": flag("Whether it is saturated on the training probe set."),
        "dormant_0": flag("Whether it is 0-dormant on the training probe set."),
        "pre_activation_min": measured(f"Smallest pre-activation {_OVER_PROBE_SET}."),
        "pre_activation_q05": measured(f"5 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q25": measured(f"25 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_median": measured(f"Median of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q75": measured(f"75 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_q95": measured(f"95 % quantile of the pre-activation {_OVER_FIRST}."),
        "pre_activation_max": measured(f"Largest pre-activation {_OVER_PROBE_SET}."),
        "mean_pre_activation": measured(
            f"Mean pre-activation {_OVER_PROBE_SET}, the effective bias.", missing=_BEYOND
        ),
        "mean_abs_activation": measured(f"Mean absolute activation {_OVER_PROBE_SET}.", NOT_NEGATIVE),
        "active_share": measured(
            "Share of the examples (and positions) of the training probe set with a positive pre-activation.",
            FRACTION,
        ),
        "bias": measured("The unit's bias."),
        "weight_norm": measured("Euclidean norm of its incoming weights.", NOT_NEGATIVE),
        "negative_weights": measured("Share of its incoming weights that are negative.", FRACTION),
        "pre_activation_max_new_weights": measured(
            "Largest pre-activation on the training probe set had only the weights changed since the checkpoint before.",
            missing=_UNKNOWN_BEFORE,
        ),
        "pre_activation_max_new_inputs": measured(
            "Largest pre-activation on the training probe set had only the layer's inputs changed since the checkpoint before.",
            missing=_UNKNOWN_BEFORE,
        ),
        "woken_examples": measured(
            "Of the examples (and positions) of the training probe set on which the pre-activation was not positive at the checkpoint "
            "before, the share on which it is now.",
            FRACTION,
            missing=f"{_UNKNOWN_BEFORE}, and where there was none",
        ),
        "woken_minibatches": measured(
            "Of the minibatches of the training probe set on which the unit was inactive at the checkpoint before, the share on which "
            "it is not any more.",
            FRACTION,
            missing=f"{_UNKNOWN_BEFORE}, and where there was none",
        ),
    },
    checks=[
        law("dead on all implies dead", lambda t: t["dead"] | ~t["dead_all"].fillna(False).astype(bool)),
        law("dead implies inactive", lambda t: ~t["dead"] | t["inactive"]),
        at_most("pre_activation_min", "pre_activation_max"),
    ],
    unique=["run", "step", "layer", "unit"],
    name="units",
    row="a unit of a network at a checkpoint, until the network overflows, in experiments with `record_units`",
)

ACTIVITY = table(
    {
        "run": text(_RUN),
        "layer": text("Name of the hidden layer."),
        "depth": count("Number of the hidden layer, from 1 at the input."),
        "unit": count("Number of the unit in its layer, from 0; a channel of a convolution is one."),
        "examples": count(
            "How many training examples were looked at, the first ones: 500, 1000, 5500, if the run used more, and all that it used.",
            POSITIVE,
        ),
        "active": count(
            "On how many of them the pre-activation was positive, for a convolution at one position at least."
        ),
        "born_dead": flag("Whether the unit was dead on all training examples before training."),
    },
    checks=[at_most("active", "examples")],
    unique=["run", "layer", "unit", "examples"],
    name="activity",
    row="a unit of a network at the end of training, and a number of examples, in experiments with `activity_counts`, unless the network "
    "overflowed",
)

TABLES = {"runs": RUNS, "checkpoints": CHECKPOINTS, "layers": LAYERS, "units": UNITS, "activity": ACTIVITY}
"""The tables that training leaves: a file for each shard, and for the study."""
