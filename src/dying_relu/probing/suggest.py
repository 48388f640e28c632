"""Trials of remedies against dead units on copies of a model, in the user's own training."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state, require_repeatable, unwrapped
from dying_relu.probing.probe import probe
from dying_relu.probing.remedies import REMEDIES, Remedy, Trial, counted_steps, nothing
from dying_relu.probing.report import Report
from dying_relu.probing.states import copied, preserved_state
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd

Train = Callable[[nn.Module, Optimizer], Any]
DEFAULT_RATE = 1e-3
AS_IT_IS = "as it is"
LAST = 0.1
"""Share of the losses at the end of a training whose mean is its loss."""


def suggest(
    model: nn.Module,
    loader: Iterable[Any],
    train: Train,
    optimizer: Optimizer | None = None,
    *,
    remedies: Iterable[str] | None = None,
    **options: Any,
) -> "pd.DataFrame":
    """Try a few remedies against dead units on copies of ``model``, each in a short training, and tell what became of units and loss.

    All trainings begin with the same weights, the same state of the optimizer and the same random numbers, so that they differ by the
    remedy alone; each is one run, of one seed. The model, the optimizer and the random numbers of Python, NumPy and PyTorch are afterwards
    as they were, to the bit. What else ``train`` changes, such as a data set of its own, is its affair.

    The rate is lowered, warmed up and the gradient clipped where an optimizer steps that holds parameters of the copy, whether ``train``
    uses the one that it is given or one of its own; a schedule of the learning rate goes on as usual.

    Args:
        model: as it is before the training that kills units, or in its middle.
        loader: batches to count dead units on, as for :func:`probe`; it is gone through again and again.
        train: trains a model with an optimizer, for as long as it takes units to die. A number that it returns, or a tensor with one
            entry, is the loss; else the loss is the mean over the last tenth of the values on which it calls ``backward``.
        optimizer: of ``model``, copied for each trial with its state; by default Adam at a rate of 0.001.
        remedies: names of those to try, of :data:`dying_relu.probing.remedies.REMEDIES`; by default all.
        options: of :func:`probe`, such as ``unit_axis``.

    Returns:
        A row a trial, the first without a remedy: remedy; dead, units at the end; dead_share, of all units; died, alive before and dead at
        the end; revived, the reverse; loss at the end, NaN where none was seen; note, why a remedy could not be tried ("" where it could).

    Raises:
        DyingReluError: an unknown remedy, an optimizer of another model, a loader that gives its batches once only; what ``train`` raises
            without a remedy is passed on.

    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> data = torch.randn(32, 2)
    >>> def train(model, optimizer):
    ...     for _ in range(5):
    ...         optimizer.zero_grad()
    ...         model(data).square().mean().backward()
    ...         optimizer.step()
    >>> suggest(model, [data], train, remedies=["warm-up"])["remedy"].tolist()
    ['as it is', 'warm-up']
    """
    import pandas as pd

    model = unwrapped(model)
    require_repeatable(loader, "give suggest() a list of batches or a DataLoader")
    chosen = _chosen(remedies)
    if optimizer is not None:
        _require_parameters_of(model, optimizer)
    with preserved_random_state(loader), preserved_state(model):
        report = probe(model, loader, **options)

    def tried(remedy: Remedy, steps: int) -> tuple[dict[str, Any], int]:
        with preserved_random_state(loader):
            copy = copied(model)
            trial = Trial(copy, _optimizer(optimizer, model, copy), report, loader, steps)
            with remedy(trial), _Losses() as losses, counted_steps(copy) as number:
                result = train(copy, trial.optimizer)
            after = probe(copy, loader, **options)
        return _outcome(report, after, _loss(result, losses)), number[0]

    first, steps = tried(nothing, 0)
    rows = [{"remedy": AS_IT_IS, **first, "note": ""}]
    for name, remedy in chosen.items():
        try:
            rows.append({"remedy": name, **tried(remedy, steps)[0], "note": ""})
        except DyingReluError as error:
            rows.append({"remedy": name, "note": str(error)})
    counts = ["dead", "died", "revived"]
    return pd.DataFrame(rows).astype(dict.fromkeys(counts, "Int64"))


def _chosen(names: Iterable[str] | None) -> dict[str, Remedy]:
    if names is None:
        return REMEDIES
    names = list(names)
    if unknown := [name for name in names if name not in REMEDIES]:
        raise DyingReluError(
            "there is no such remedy", found=", ".join(unknown), expected=f"some of {', '.join(REMEDIES)}"
        )
    return {name: REMEDIES[name] for name in names}


def _require_parameters_of(model: nn.Module, optimizer: Optimizer) -> None:
    own = {id(parameter) for parameter in model.parameters()}
    if any(id(parameter) not in own for group in optimizer.param_groups for parameter in group["params"]):
        raise DyingReluError(
            "the optimizer",
            found="parameters that the model does not have",
            expected="the one that trains the model",
        )


def _optimizer(optimizer: Optimizer | None, model: nn.Module, copy: nn.Module) -> Optimizer:
    """The same optimizer, of the copy."""
    if optimizer is None:
        return torch.optim.Adam(copy.parameters(), lr=DEFAULT_RATE)
    memo: dict[int, Any] = {
        id(old): new for old, new in zip(model.parameters(), copy.parameters(), strict=True)
    }
    result = deepcopy(optimizer, memo)
    for name, value in vars(optimizer).items():
        # What deepcopy leaves out, but for functions: those of a schedule belong to the original.
        if name not in vars(result) and not callable(value):
            setattr(result, name, deepcopy(value, memo))
    return result


class _Losses(TorchFunctionMode):
    """Notes the tensors with one entry on which ``backward`` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Tensor] = []

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        if function is Tensor.backward and arguments[0].numel() == 1:
            self.noted.append(arguments[0].detach().clone())
        return function(*arguments, **(options or {}))


def _loss(result: Any, losses: _Losses) -> float:
    if isinstance(result, int | float) and not isinstance(result, bool):
        return float(result)
    if isinstance(result, Tensor) and result.numel() == 1:
        return float(result)
    if not losses.noted:
        return float("nan")
    last = losses.noted[-max(1, round(LAST * len(losses.noted))) :]
    return sum(map(float, last)) / len(last)


def _outcome(before: Report, after: Report, loss: float) -> dict[str, Any]:
    """Columns of one trial."""
    dead = {name: definitions.dead(layer.statistics) for name, layer in after.layers.items()}
    died = woken = 0
    for name, now in dead.items():
        layer = before.layers.get(name)
        if layer is not None and layer.units == len(now):
            then = definitions.dead(layer.statistics)
            died += int((now & ~then).sum())
            woken += int((then & ~now).sum())
    total = sum(map(len, dead.values()))
    number = sum(int(one.sum()) for one in dead.values())
    return {
        "dead": number,
        "dead_share": number / total,
        "died": died,
        "revived": woken,
        "loss": loss,
    }
