"""The rows of the table of runs: a network's factors, its outcome and its final metrics."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dying_relu.plan.shard import Run
from dying_relu.training.checkpoint import Checkpoint
from dying_relu.training.full_count import FullCount
from dying_relu.training.history import History
from dying_relu.training.rows import FLAGS, Stack
from dying_relu.units import definitions

LAST_FACTORS = ("replicate", "inputs", "intervention")
"""Factors whose columns stand behind the others."""


def run_rows(
    stack: Stack, last: Checkpoint, history: History, counted: FullCount, chance: float
) -> pd.DataFrame:
    """The table ``runs``: a row a network, with its factors, its outcome and its final metrics, NaN if it overflowed.

    Args:
        stack: K networks.
        last: the measurements at the last checkpoint.
        history: of their units, the last checkpoint included.
        counted: the networks on all examples, at the last checkpoint.
        chance: share of the largest class in the test set.
    """
    network, overflowed = stack.network, history.overflowed.cpu()
    slopes = torch.from_numpy(np.mean([stack.slopes(hidden) for hidden in network.hidden], axis=0))
    step = pd.Series(history.overflow_step.cpu().numpy(), dtype="Int64")
    metrics = {**_final_metrics(last, history, counted), "mean_slope": slopes}
    constant = counted.answers["train"].constant.cpu() & ~overflowed
    shown = {
        name: values.cpu().double().masked_fill(overflowed, torch.nan).numpy()
        for name, values in metrics.items()
    }
    loss = {
        "initial": history.initial_loss,
        "peak": history.peak_loss.masked_fill(history.overflowed, torch.inf),
    }
    losses = {
        name: values.cpu().double().nan_to_num(torch.inf, torch.inf).numpy() for name, values in loss.items()
    }
    return pd.DataFrame(
        {
            **_factors(stack),
            "hidden_units": sum(hidden.affine.bias.value.shape[1] for hidden in network.hidden),
            "parameters": sum(parameter.value[0].numel() for parameter in network.parameters()),
            "outcome": _outcomes(history, counted, constant, chance),
            "overflowed": overflowed.numpy(),
            "overflow_step": step.where(overflowed.numpy()),
            "initial_loss": losses["initial"],
            "peak_loss": losses["peak"],
            **{
                name: shown.pop(name)
                for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
            },
            "constant": constant.numpy(),
            **shown,
        }
    )


def _outcomes(history: History, counted: FullCount, constant: Tensor, chance: float) -> list[str]:
    train, test = (counted.answers[split] for split in ("train", "test"))
    return definitions.outcome(
        overflowed=history.overflowed.cpu(),
        initial_loss=history.initial_probe_loss.cpu(),
        final_loss=train.loss.cpu(),
        constant=constant,
        correct=test.correct.cpu(),
        examples=test.examples,
        chance=chance,
    )


def _final_metrics(last: Checkpoint, history: History, counted: FullCount) -> dict[str, Tensor]:
    """Column -> (K,)."""
    train, test = (counted.answers[split] for split in ("train", "test"))
    units = last.probes["train"].units
    dead, dead_on_test = last.dead("train"), last.dead("test")
    followed = history.layers.values()
    other_flags = {name: flag for name, flag in FLAGS.items() if name != "dead"}
    assert last.capacity is not None, "the last checkpoint measures it"
    return {
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "dead_fraction": _fraction(counted.dead.values()),
        "dead_fraction_probe": _fraction(dead.values()),
        "dead_fraction_test": _fraction(dead_on_test.values()),
        "dead_on_both_fraction": _fraction(flags & dead_on_test[name] for name, flags in dead.items()),
        "new_dead_fraction": _fraction(history.new_dead(counted.dead).values()),
        **{f"{name}_fraction": _fraction(map(flag, units.values())) for name, flag in other_flags.items()},
        "born_dead_fraction": _fraction(layer.born_dead for layer in followed),
        "died_fraction": _fraction(layer.died_since_birth for layer in followed),
        "revived_fraction": _fraction(layer.revived_for_good for layer in followed),
        "effective_rank": last.capacity.effective_rank,
        "pruned_difference": last.capacity.pruned_difference,
        "pruned_answers": last.capacity.pruned_answers,
    }


def _factors(stack: Stack) -> dict[str, object]:
    shard = stack.shard
    names = [field.name for field in fields(Run) if field.name not in ("id", "experiment", "seed")]
    names = [*(name for name in names if name not in LAST_FACTORS), *LAST_FACTORS]
    return {
        "run": stack.ids,
        "experiment": shard.experiment,
        "shard": shard.name,
        **{name: [getattr(run, name) for run in stack.runs] for name in names},
        "slope": stack.initial_slopes,
        "loss_function": shard.loss_function,
        "batch_size": shard.batch_size,
        "steps": shard.steps,
        "train_examples": shard.dataset.train,
        "test_examples": shard.dataset.test,
        "precision": shard.precision,
        "stack_size": len(stack.runs),
    }


def _fraction(flags: Iterable[Tensor]) -> Tensor:
    """Share of a network's units: (K, U) bool for each of its layers -> (K,) float64."""
    return torch.cat(list(flags), dim=1).cpu().double().mean(1)
