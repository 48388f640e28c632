"""ReDo for any model: dead units get new incoming weights, and outgoing weights of 0.

Source: Sokar, Agarwal, Castro and Evci (2023), algorithm 1. :mod:`dying_relu.training.redo` does the same inside the stacked engine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state, unwrapped
from dying_relu.probing.dependencies import Dependencies, Entries, axes_of, find_dependencies
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.probe import probe
from dying_relu.probing.processes import Processes
from dying_relu.probing.prune import repeatable_data, warn_of_remaining_units
from dying_relu.probing.report import Report
from dying_relu.probing.states import copied, preserved_state
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd

NO_MOMENTS = ("step_size", "ax")
"""State with an entry per weight that is no memory of gradients: Rprop's step sizes and ASGD's average of the weights."""
NEW = {"bias": 0.0, "scale": 1.0, "shift": 0.0, "mean": 0.0, "variance": 1.0, "reader": 0.0}
"""Role of a parameter's entries -> their new value; weights are resampled."""


@dataclass(frozen=True)
class Change:
    """New values for some entries of one parameter or running statistic.

    Attributes:
        path: of the module that holds it.
        name: its name there.
        where: which entries, of its shape.
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
        tensor = getattr(model.get_submodule(self.path), self.name)
        mask = self.where.to(tensor.device)
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

    processes = Processes(model)
    model = unwrapped(model)
    if optimizer is not None:
        _require_optimizer_of(model, optimizer)
    data = repeatable_data(report, data)
    by_layer = find_dependencies(model, report, data)
    chosen = {name: _chosen(report, name, tau) for name in by_layer}
    followed = [name for name, one in by_layer.items() if isinstance(one, Dependencies)]
    common = processes.common({name: chosen[name] for name in followed})
    generator = _shared_generator(processes, generator)
    # From the first layer to the last: a unit revived behind another reads it, with a new weight and not with the 0 it has just got.
    changes = {
        name: _changes(dependencies, common[name], generator)
        for name, dependencies in by_layer.items()
        if isinstance(dependencies, Dependencies) and name in common and common[name].any()
    }
    refused = _refused(model, report, changes, common, data, processes) if tau is None else {}
    rows = []
    for name, dependencies in by_layer.items():
        reason = dependencies if isinstance(dependencies, str) else refused.get(name, "")
        reason = reason or ("" if name in common else "another process cannot follow them")
        row = {"layer": name, "units": len(chosen[name]), "chosen": int(chosen[name].sum())}
        rows.append(row | {"revived": 0 if reason else int(common[name].sum()), "reason": reason})
    table = pd.DataFrame(rows)
    warn_of_remaining_units(table[table["chosen"] > 0])
    for name, of_layer in changes.items():
        for change in of_layer if name not in refused else ():
            change.apply(model, optimizer)
    return table.drop(columns="chosen")


def _refused(
    model: nn.Module,
    report: Report,
    changes: Mapping[str, list[Change]],
    chosen: Mapping[str, Tensor],
    data: Iterable[Any],
    processes: Processes,
) -> dict[str, str]:
    """The layers whose new weights would change what the model computes, with the reason.

    Raises:
        DyingReluError: the report is to blame: units that it calls dead are alive.
    """
    error = _difference(model, changes.values(), data, report)
    if not any(processes.gathered(error is not None)):
        return {}
    processes.require_success(error if not _still_dead(model, report, chosen, data) else None)
    own = [name for name, one in changes.items() if _difference(model, [one], data, report) is not None]
    names = {name for of_one in processes.gathered(own) for name in of_one} or set(changes)
    rest = [one for name, one in changes.items() if name not in names]
    processes.require_success(_difference(model, rest, data, report))
    return dict.fromkeys(names, "the outputs would change: something reads them that was not seen")


def _still_dead(model: nn.Module, report: Report, chosen: Mapping[str, Tensor], data: Iterable[Any]) -> bool:
    """Tell whether the chosen units are dead on the data, as the model is now."""
    most = (report.batches or None) if data is report.loader else None
    with preserved_random_state(data), preserved_state(model):
        try:
            now = probe(model, data, unit_axis=axes_of(report), call=report.call, batches=most)
        except DyingReluError:
            return False
    return all(
        name in now.layers and bool(definitions.dead(now.layers[name].statistics).cpu()[units.cpu()].all())
        for name, units in chosen.items()
    )


def _chosen(report: Report, name: str, tau: float | None) -> Tensor:
    statistics = report.layers[name].statistics
    return definitions.dead(statistics) if tau is None else definitions.dormant(statistics, tau)


def _shared_generator(processes: Processes, generator: torch.Generator | None) -> torch.Generator | None:
    """A generator that draws the same in all processes; where there is one only, the given one."""
    if processes.group is None:
        return generator
    device = "cpu" if generator is None else generator.device
    seed = int(torch.randint(2**62, (), generator=generator, device=device))
    return torch.Generator().manual_seed(processes.first(seed))


def _changes(dependencies: Dependencies, chosen: Tensor, generator: torch.Generator | None) -> list[Change]:
    changes = []
    for entries in dependencies.entries:
        parameter, where = entries.parameter, entries.of(chosen)
        new = NEW[entries.role] if entries.role != "weight" else _new_weights(entries, generator)
        changes.append(Change(parameter.path, parameter.name, where, new))
    return changes


def _difference(
    model: nn.Module, changes: Iterable[Iterable[Change]], data: Iterable[Any], report: Report
) -> DyingReluError | None:
    """The error of a copy of the model, with the changes, that computes something else."""
    revived = copied(model)
    for of_layer in changes:
        for change in of_layer:
            change.apply(revived)
    try:
        with preserved_random_state(data):
            require_equal(model, revived, data, report, "revived")
    except DyingReluError as error:
        return error
    return None


def _new_weights(entries: Entries, generator: torch.Generator | None) -> Tensor:
    """New weights of the shape of a parameter, as PyTorch initialises a Linear or a convolution: uniform, by the number of inputs."""
    labels = entries.labels
    inputs = int((labels == labels.max()).sum())
    new = torch.empty(labels.shape, device="cpu" if generator is None else generator.device)
    return new.uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)


def _require_optimizer_of(model: nn.Module, optimizer: Optimizer) -> None:
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise DyingReluError(
            "the optimizer",
            found="no parameter of the model in it",
            expected="the one that trains the model",
        )
