"""ReDo for any model: dead units get new incoming weights, and outgoing weights of 0.

Source: Sokar, Agarwal, Castro and Evci (2023), algorithm 1. :mod:`dying_relu.training.redo` does the same inside the stacked engine.
"""

import math
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state, require_repeatable, unwrapped
from dying_relu.probing.dependencies import Dependencies, find_dependencies
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.prune import warn_of_remaining_units
from dying_relu.probing.report import Report
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd

NO_MOMENTS = ("step_size", "ax")
"""State with an entry per weight that is no memory of gradients: Rprop's step sizes and ASGD's average of the weights."""
NEW_NORM = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
"""A batch normalisation before training."""


@dataclass(frozen=True)
class Change:
    """New values for some entries of one parameter or running statistic.

    Attributes:
        path: of the module that holds it.
        name: its name there.
        where: which entries, by the first of its axes.
        new: their values.
    """

    path: str
    name: str
    where: Tensor
    new: Tensor | float

    @torch.no_grad()
    def apply(self, model: nn.Module, optimizer: Optimizer | None = None) -> None:
        """Write the new values, and let the optimizer forget these entries.

        Args:
            model: it is changed.
            optimizer: its state of the same shape becomes 0 at these entries.
        """
        tensor = getattr(model.get_submodule(self.path), self.name, None)
        if tensor is None:
            return
        where = self.where.to(tensor.device).view(*self.where.shape, *[1] * (tensor.dim() - self.where.dim()))
        mask = where.expand_as(tensor)
        new = torch.as_tensor(self.new, device=tensor.device, dtype=tensor.dtype)
        tensor.copy_(torch.where(mask, new, tensor))
        for name, state in (optimizer.state.get(tensor, {}) if optimizer is not None else {}).items():
            if isinstance(state, Tensor) and state.shape == tensor.shape and name not in NO_MOMENTS:
                state.masked_fill_(mask, 0)


def revive(
    model: nn.Module,
    report: Report,
    optimizer: Optimizer | None = None,
    *,
    tau: float | None = None,
    generator: torch.Generator | None = None,
    data: Iterable[Any] | None = None,
) -> "pd.DataFrame":
    """Reinitialise the dead units of ``model``, in place; its outputs on the data of ``report`` stay the same.

    Their incoming weights are resampled as PyTorch initialises a Linear or a convolution, their biases are 0, a batch
    normalisation between is as new for them, and the weights that read them are 0. Layers whose units cannot be followed to all that
    reads them are left alone, with a warning. That the outputs stay the same is tried on a copy of the model first.

    Args:
        model: it is changed.
        report: of this model as it is now, by :func:`probe`.
        optimizer: it forgets what it knew about the weights that are new: its state with an entry per weight (moments, momentum)
            becomes 0 there.
        tau: units up to this dormancy are revived, not only dead ones, and what the model computes changes by what they contributed,
            so that outputs are not compared; 0.025 and 0.1 are usual (Sokar et al., 2023).
        generator: of the new weights; by default PyTorch's global one.
        data: batches to compare the outputs on; by default those that the report was made with.

    Returns:
        A row a layer: layer; units; revived, how many; reason, why none could be ("" where they could).

    Raises:
        DyingReluError: the optimizer is of another model; the report is, or is none; an output would differ, and the model stays as it was;
            the loader of the report gives its batches only once.

    >>> from dying_relu import probe
    >>> model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> _ = model[0].bias.data.copy_(torch.tensor([-9.0] * 5 + [9.0] * 3))
    >>> revive(model, probe(model, [torch.rand(16, 3)]))["revived"].tolist()
    [5]
    """
    import pandas as pd

    model = unwrapped(model)
    if optimizer is not None:
        _require_optimizer_of(model, optimizer)
    rows, changes = [], []
    # From the first layer to the last: a unit revived behind another reads it, with a new weight and not with the 0 it has just got.
    for name, dependencies in find_dependencies(model, report).items():
        statistics = report.layers[name].statistics
        chosen = definitions.dead(statistics) if tau is None else definitions.dormant(statistics, tau)
        row = {"layer": name, "units": len(chosen), "chosen": int(chosen.sum())}
        if isinstance(dependencies, str):
            rows.append(row | {"revived": 0, "reason": dependencies})
            continue
        rows.append(row | {"revived": row["chosen"], "reason": ""})
        if chosen.any():
            changes += _changes(model, dependencies, chosen, generator)
    table = pd.DataFrame(rows)
    warn_of_remaining_units(table[table["chosen"] > 0])
    if changes and tau is None:
        _require_same_outputs(model, changes, report.loader if data is None else data)
    for change in changes:
        change.apply(model, optimizer)
    return table.drop(columns="chosen")


def _changes(
    model: nn.Module, dependencies: Dependencies, chosen: Tensor, generator: torch.Generator | None
) -> list[Change]:
    feed: Any = model.get_submodule(dependencies.feed)
    changes = [
        Change(dependencies.feed, "weight", chosen, _new_weights(feed.weight, generator)),
        Change(dependencies.feed, "bias", chosen, 0.0),
    ]
    for path in dependencies.norms:
        changes += [Change(path, name, chosen, new) for name, new in NEW_NORM.items()]
    for reader in dependencies.readers:
        weight: Any = model.get_submodule(reader.path).weight
        changes.append(Change(reader.path, "weight", reader.columns(chosen, weight.shape[1])[None], 0.0))
    return changes


def _require_same_outputs(model: nn.Module, changes: list[Change], data: Iterable[Any]) -> None:
    require_repeatable(data, "pass the same batches with data=, or probe a list or a DataLoader")
    revived = deepcopy(model)
    for change in changes:
        change.apply(revived)
    with preserved_random_state(data):
        require_equal(model, revived, data, "revived")


def _new_weights(weight: Tensor, generator: torch.Generator | None) -> Tensor:
    """New weights of the shape of ``weight``, as PyTorch initialises a Linear or a convolution."""
    new = torch.empty(weight.shape, device="cpu" if generator is None else generator.device)
    return nn.init.kaiming_uniform_(new, a=math.sqrt(5), generator=generator)


def _require_optimizer_of(model: nn.Module, optimizer: Optimizer) -> None:
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise DyingReluError(
            "the optimizer",
            found="no parameter of the model in it",
            expected="the one that trains the model",
        )
