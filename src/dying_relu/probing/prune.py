"""Pruning of dead units: smaller layers that compute the same."""

import warnings
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from dying_relu.probing.batches import require_repeatable, unwrapped
from dying_relu.probing.dependencies import Dependencies, find_dependencies
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.report import Report
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd


def prune_dead(model: nn.Module, report: Report, data: Iterable[Any] | None = None) -> nn.Module:
    """A copy of ``model`` without the units that are dead by ``report``; its outputs on the data are compared, and equal.

    A dead unit outputs exactly 0, so that the weights that read it multiply nothing: its row of the layer that computes it, its
    entries of a batch normalisation between, and its columns of the layers that read it are removed. Of a layer whose every unit is
    dead the first one stays, because a layer without outputs is no layer. Layers whose units cannot be followed to all that
    reads them (:func:`removable` says why) stay as they are, with a warning.

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
    model = unwrapped(model)
    by_layer = find_dependencies(model, report)
    if data is None:
        data = require_repeatable(
            report.loader, "pass the same batches with data=, or probe a list or a DataLoader"
        )
    table = _table(by_layer, report)
    warn_of_remaining_units(table[table["dead"] > 0])
    pruned = deepcopy(model)
    for name, dependencies in by_layer.items():
        removed = _removed(report, name)
        if isinstance(dependencies, Dependencies) and removed.any():
            _remove(pruned, dependencies, removed)
    require_equal(model, pruned, data, "pruned")
    return pruned


def removable(model: nn.Module, report: Report) -> "pd.DataFrame":
    """A table of what :func:`prune_dead` removes.

    Args:
        model: as for :func:`prune_dead`.
        report: of this model.

    Returns:
        A row a layer: layer; units; dead; removed, how many; feed, the path of the layer that computes them; readers, the paths of
        those that read them; reason, why dead units stay ("" where none has to).
    """
    return _table(find_dependencies(unwrapped(model), report), report)


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
        readers = ", ".join(reader.path for reader in dependencies.readers)
        reason = "a layer needs one unit, and all are dead" if dead.all() else ""
        rows.append(
            row
            | {"removed": int(removed.sum()), "feed": dependencies.feed, "readers": readers, "reason": reason}
        )
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


def _remove(model: nn.Module, dependencies: Dependencies, removed: Tensor) -> None:
    for path in (dependencies.feed, *dependencies.norms):
        _narrow(model.get_submodule(path), ~removed)
    for reader in dependencies.readers:
        layer: Any = model.get_submodule(reader.path)
        _keep(layer, "weight", ~reader.columns(removed, layer.weight.shape[1]), axis=1)
        _set_size(layer, ("in_features", "in_channels"), layer.weight.shape[1])


def _narrow(layer: nn.Module, kept: Tensor) -> None:
    for name in ("weight", "bias", "running_mean", "running_var"):
        if getattr(layer, name, None) is not None:
            _keep(layer, name, kept, axis=0)
    _set_size(layer, ("out_features", "out_channels", "num_features"), int(kept.sum()))


def _keep(layer: nn.Module, name: str, kept: Tensor, axis: int) -> None:
    old = getattr(layer, name)
    places = kept.nonzero()[:, 0].to(old.device)
    new = old.detach().index_select(axis, places)
    setattr(layer, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _set_size(layer: nn.Module, names: Iterable[str], size: int) -> None:
    """Set the attributes of ``names`` that a layer has: linear layers, convolutions and normalisations name their sizes differently."""
    for name in names:
        if hasattr(layer, name):
            setattr(layer, name, size)
