"""Pruning of dead units: smaller layers that compute the same."""

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import require_repeatable, unwrapped
from dying_relu.probing.dependencies import Dependencies, Entries, find_dependencies
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.forward_pass import REFUSALS
from dying_relu.probing.processes import Processes
from dying_relu.probing.report import Report
from dying_relu.probing.states import copied
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd

SIZES: tuple[tuple[type[nn.Module] | tuple[type[nn.Module], ...], tuple[str, ...]], ...] = (
    (nn.Linear, ("out_features", "in_features")),
    ((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), ("in_channels", "out_channels")),
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), ("out_channels", "in_channels")),
    ((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm), ("num_features",)),
)
"""Class -> the attributes that say how long the axes of its weights are, the first axis first."""

Chosen = Mapping[str, tuple[Dependencies, Tensor]]
"""Layer -> its dependencies, and which of its units are removed, (U,) bool."""


def prune_dead(model: nn.Module, report: Report, data: Iterable[Any] | None = None) -> nn.Module:
    """A copy of ``model`` without the units that are dead by ``report``; its outputs on the data are compared, and equal.

    A dead unit outputs exactly 0, so that the weights that read it multiply nothing: its entries of the weights that compute it, of a
    batch normalisation between, and of the weights that read it are removed. Of a layer whose every unit is dead the first one stays,
    because a layer without outputs is no layer. Layers whose units cannot be followed to all that reads them (:func:`removable` says
    why), or whose model only runs with as many units as it has, stay as they are, with a warning. Where the model draws random numbers
    these are equal in the comparison.

    Args:
        model: it stays as it is. Of a DataParallel-wrapped or compiled model what it wraps is pruned.
        report: of this model, by :func:`probe`.
        data: batches to compare the outputs on; by default those that the report was made with.

    Returns:
        A model of the same class, in the same mode. Its parameters are new ones: to train it on, make a new optimizer.

    Raises:
        DyingReluError: an output differs by more than the order of sums explains (:func:`dying_relu.probing.equivalence.tolerance`);
            the loader of the report gives its batches only once; the report is of another model, or none.

    >>> import torch
    >>> from dying_relu import probe
    >>> model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> _ = model[0].bias.data.copy_(torch.tensor([-9.0] * 5 + [9.0] * 3))
    >>> report = probe(model, [torch.rand(16, 3)])
    >>> prune_dead(model, report)[2]
    Linear(in_features=3, out_features=2, bias=True)
    """
    processes = Processes(model)
    model = unwrapped(model)
    data = repeatable_data(report, data)
    by_layer, chosen = _decided(model, report, data, processes)
    table = _table(by_layer, report)
    warn_of_remaining_units(table[table["dead"] > 0])
    pruned = _without(model, chosen)
    require_equal(model, pruned, data, report, "pruned", constant_draws=True)
    return pruned


def removable(model: nn.Module, report: Report, data: Iterable[Any] | None = None) -> "pd.DataFrame":
    """A table of what :func:`prune_dead` removes.

    Args:
        model: as for :func:`prune_dead`.
        report: of this model.
        data: batches to follow the units on, by default those that the report was made with.

    Returns:
        A row a layer: layer; units; dead; removed, how many; feed, the path of the layer that computes them; readers, the paths of
        those that read them; reason, why dead units stay ("" where none has to).
    """
    processes = Processes(model)
    by_layer, _ = _decided(unwrapped(model), report, repeatable_data(report, data), processes)
    return _table(by_layer, report)


def _decided(
    model: nn.Module, report: Report, data: Iterable[Any], processes: Processes
) -> tuple[dict[str, Dependencies | str], Chosen]:
    """The dependencies of every layer or the reason why its units stay, and the units that are removed."""
    by_layer = {name: _reason(one) or one for name, one in find_dependencies(model, report, data).items()}
    followed = {name: one for name, one in by_layer.items() if isinstance(one, Dependencies)}
    common = processes.common({name: _removed(report, name) for name in followed})
    chosen = {name: (followed[name], units) for name, units in common.items() if units.any()}
    refused = _refused(model, chosen, data, report, processes) if chosen else {}
    kept = {name: one for name, one in chosen.items() if name not in refused}
    return by_layer | refused, kept


def repeatable_data(report: Report, data: Iterable[Any] | None) -> Iterable[Any]:
    """The batches to follow units and to compare outputs on.

    Args:
        report: made with some.
        data: others; None for those of the report.

    Raises:
        DyingReluError: the report is none, or its loader gives its batches only once.
    """
    if not isinstance(report, Report):
        raise DyingReluError(
            "the report", found=type(report).__name__, expected="what probe(model, data) returns"
        )
    return require_repeatable(
        report.loader if data is None else data,
        "pass the same batches with data=, or probe a list or a DataLoader",
    )


def _reason(dependencies: Dependencies | str) -> str:
    if isinstance(dependencies, str):
        return dependencies
    if dependencies.grouped:
        return f"{dependencies.grouped[0]} is a grouped convolution"
    mixed = [one for one in dependencies.entries if one.axis is None]
    return f"{mixed[0].parameter} does not hold the units along one axis" if mixed else ""


def _refused(
    model: nn.Module, chosen: Chosen, data: Iterable[Any], report: Report, processes: Processes
) -> dict[str, Dependencies | str]:
    """The layers without whose dead units the model does not run, or not as before, and the reason."""
    error, draws = None, 0
    try:
        draws = require_equal(model, _without(model, chosen), data, report, "pruned", constant_draws=True)
    except (DyingReluError, *REFUSALS) as one:
        error = one
    if any(processes.gathered(error is not None or draws > 0)):
        # With the random numbers that it draws: whether the units contribute anything.
        processes.require_success(_difference(model, _unread(model, chosen), data, report))
    if not any(processes.gathered(error is not None)):
        return {}
    own = [name for name, one in chosen.items() if not _runs_without(model, {name: one}, data, report)]
    names = {name for of_one in processes.gathered(own) for name in of_one}
    if not names:
        names = set(chosen)
    return dict.fromkeys(names, "the model computes something else, or nothing, with fewer units there")


def _difference(
    model: nn.Module, other: nn.Module, data: Iterable[Any], report: Report
) -> DyingReluError | None:
    try:
        require_equal(model, other, data, report, "pruned")
    except DyingReluError as error:
        return error
    return None


def _runs_without(model: nn.Module, chosen: Chosen, data: Iterable[Any], report: Report) -> bool:
    try:
        require_equal(model, _without(model, chosen), data, report, "pruned", constant_draws=True)
    except (DyingReluError, *REFUSALS):
        return False
    return True


def _table(by_layer: Mapping[str, Dependencies | str], report: Report) -> "pd.DataFrame":
    import pandas as pd

    rows = []
    for name, dependencies in by_layer.items():
        layer = report.layers[name]
        dead, removed = definitions.dead(layer.statistics), _removed(report, name)
        row = {"layer": name, "units": layer.units, "dead": int(dead.sum())}
        if isinstance(dependencies, str):
            rows.append(row | {"removed": 0, "feed": "", "readers": "", "reason": dependencies})
            continue
        reason = "a layer needs one unit, and all are dead" if dead.all() else ""
        feed, readers = dependencies.feed, dependencies.readers
        rows.append(row | {"removed": int(removed.sum()), "feed": feed, "readers": readers, "reason": reason})
    return pd.DataFrame(rows)


def warn_of_remaining_units(table: "pd.DataFrame") -> None:
    """Warn of the layers whose dead units stay, and say why.

    Args:
        table: a row a layer, with its name (layer) and the reason ("" where there is none).
    """
    stay = table[table["reason"] != ""]
    if len(stay):
        reasons = "; ".join(
            f"{layer}: {reason}" for layer, reason in zip(stay["layer"], stay["reason"], strict=True)
        )
        # Level 3: where prune_dead or revive is called.
        warnings.warn(f"dead units stay in {len(stay)} layers: {reasons}", stacklevel=3)


def _removed(report: Report, name: str) -> Tensor:
    """(U,) bool: the dead units of a layer, but for the first where all are."""
    dead = definitions.dead(report.layers[name].statistics).clone()
    dead[0] &= not dead.all()
    return dead


def _unread(model: nn.Module, chosen: Chosen) -> nn.Module:
    """A copy of a model in which nothing reads the chosen units."""
    other = copied(model)
    with torch.no_grad():
        for dependencies, units in chosen.values():
            for one in dependencies.entries:
                if one.role == "reader":
                    tensor = _tensor(other, one)
                    tensor.masked_fill_(one.of(units).to(tensor.device), 0)
    return other


def _tensor(model: nn.Module, entries: Entries) -> Tensor:
    return getattr(model.get_submodule(entries.parameter.path), entries.parameter.name)


def _without(model: nn.Module, chosen: Chosen) -> nn.Module:
    """A copy of a model without the chosen units."""
    kept: dict[tuple[int, int], tuple[Entries, Tensor]] = {}
    for dependencies, units in chosen.values():
        for one in dependencies.entries:
            axis = one.axis
            assert axis is not None
            others = tuple(place for place in range(one.labels.dim()) if place != axis)
            mask = one.of(units)
            mask = mask.all(others) if others else mask
            key = (id(one.parameter.tensor), axis)
            kept[key] = one, ~mask & (kept[key][1] if key in kept else True)
    pruned = copied(model)
    for (_, axis), (entries, places) in kept.items():
        _keep(pruned, entries, places, axis)
    return pruned


def _keep(model: nn.Module, entries: Entries, kept: Tensor, axis: int) -> None:
    """Keep some entries of one axis of a parameter, wherever the model holds it."""
    old = _tensor(model, entries)
    new = old.detach().index_select(axis, kept.nonzero()[:, 0].to(old.device))
    new = nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new
    for module in model.modules():
        for name, own in [*module._parameters.items(), *module._buffers.items()]:
            if own is old:
                setattr(module, name, new)
                _set_size(module, axis, int(kept.sum()))


def _set_size(module: nn.Module, axis: int, size: int) -> None:
    for kind, names in SIZES:
        if isinstance(module, kind) and axis < len(names):
            setattr(module, names[axis], size)
