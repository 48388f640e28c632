"""ReDo for any model: dead units get new incoming weights, and outgoing weights of 0.

Source: Sokar, Agarwal, Castro and Evci (2023), algorithm 1. :mod:`dying_relu.recycling` does the same inside the stacked engine.
"""

import math
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dying_relu import units
from dying_relu.errors import DyingReluError
from dying_relu.probing.report import Report
from dying_relu.probing.showing import unwrapped
from dying_relu.probing.wiring import Wiring, wirings

NO_MOMENTS = ("step_size", "ax")
"""State with an entry per weight that is no memory of gradients: Rprop's step sizes and ASGD's average of the weights."""


@torch.no_grad()
def revive(
    model: nn.Module,
    report: Report,
    optimizer: Optimizer | None = None,
    *,
    tau: float | None = None,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    """Give the dead units of ``model`` a new start, in place; what the model computes on the data of ``report`` stays the same.

    Their incoming weights are drawn anew as PyTorch initialises a Linear or a convolution, their biases are 0, a batch
    normalisation between is as new for them, and the weights that read them are 0. Layers whose units cannot be followed to all that
    reads them are left alone.

    Args:
        model: it is changed.
        report: of this model as it is now, by :func:`probe`.
        optimizer: it forgets what it knew about the weights that are new: its state with an entry per weight (moments, momentum)
            becomes 0 there.
        tau: units up to this dormancy are revived, not only dead ones, and what the model computes changes by what they contributed;
            0.025 and 0.1 are usual (Sokar et al., 2023).
        generator: of the new weights; by default PyTorch's global one.

    Returns:
        A row a layer: layer; units; revived, how many; reason, why none could be ("" where they could).

    Raises:
        DyingReluError: the optimizer is of another model, or the report is.

    >>> from dying_relu import probe
    >>> model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> _ = model[0].bias.data.copy_(torch.tensor([-9.0] * 5 + [9.0] * 3))
    >>> revive(model, probe(model, [torch.rand(16, 3)]))["revived"].tolist()
    [5]
    """
    model = unwrapped(model)
    if optimizer is not None:
        _require_optimizer_of(model, optimizer)
    rows = []
    # From the first layer to the last: a unit revived behind another reads it, with a new weight and not with the 0 it has just got.
    for name, wiring in wirings(model, report).items():
        statistics = report.layers[name].statistics
        chosen = units.dead(statistics) if tau is None else units.dormant(statistics, tau)
        followed = isinstance(wiring, Wiring)
        if isinstance(wiring, Wiring):
            _renew(model, wiring, chosen, optimizer, generator)
        rows.append(
            {
                "layer": name,
                "units": len(chosen),
                "revived": int(chosen.sum()) if followed else 0,
                "reason": "" if followed else wiring,
            }
        )
    return pd.DataFrame(rows)


def _renew(
    model: nn.Module,
    wiring: Wiring,
    chosen: Tensor,
    optimizer: Optimizer | None,
    generator: torch.Generator | None,
) -> None:
    feed: Any = model.get_submodule(wiring.feed)
    _fill(feed.weight, chosen, _drawn(feed.weight, generator), optimizer)
    _fill(feed.bias, chosen, 0.0, optimizer)
    for path in wiring.norms:
        norm: Any = model.get_submodule(path)
        for tensor, new in (
            (norm.weight, 1.0),
            (norm.bias, 0.0),
            (norm.running_mean, 0.0),
            (norm.running_var, 1.0),
        ):
            _fill(tensor, chosen, new, optimizer)
    for reader in wiring.readers:
        weight: Any = model.get_submodule(reader.path).weight
        _fill(weight, reader.columns(chosen, weight.shape[1])[None], 0.0, optimizer)


def _drawn(weight: Tensor, generator: torch.Generator | None) -> Tensor:
    """Weights as PyTorch's Linear and convolutions draw theirs."""
    new = torch.empty(weight.shape, device="cpu" if generator is None else generator.device)
    return nn.init.kaiming_uniform_(new, a=math.sqrt(5), generator=generator)


def _fill(tensor: Tensor | None, where: Tensor, new: Tensor | float, optimizer: Optimizer | None) -> None:
    """Set a parameter or statistic to ``new`` where the first of its axes say so, and let the optimizer forget these places."""
    if tensor is None:
        return
    mask = where.to(tensor.device).view(*where.shape, *[1] * (tensor.dim() - where.dim())).expand_as(tensor)
    tensor.copy_(torch.where(mask, torch.as_tensor(new, device=tensor.device, dtype=tensor.dtype), tensor))
    for name, state in (optimizer.state.get(tensor, {}) if optimizer is not None else {}).items():
        if isinstance(state, Tensor) and state.shape == tensor.shape and name not in NO_MOMENTS:
            state.masked_fill_(mask, 0)


def _require_optimizer_of(model: nn.Module, optimizer: Optimizer) -> None:
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise DyingReluError(
            "the optimizer", found="no parameter of the model in it", expected="the one that trains the model"
        )
