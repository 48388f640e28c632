"""Remedies against dead units, each as something that is done to a copy of a model and to the training of that copy."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import activation
from dying_relu.probing.dependencies import Dependencies, find_dependencies
from dying_relu.probing.report import Report
from dying_relu.probing.revive import revive

LOWER = 0.1
"""Factor of the lower learning rate."""
LARGEST_NORM = 1.0
"""To which gradients are clipped."""
SLOPE = 0.01
"""Of the leaky ReLU left of zero: PyTorch's default."""
WARM_UP = 0.25
"""Share of the steps over which the rate rises."""


@dataclass(frozen=True)
class Trial:
    """One copy of the model, about to be trained.

    Attributes:
        model: the copy.
        optimizer: of the copy.
        report: of the model, before training.
        loader: batches that the report was made with.
        steps: how many steps the optimizers made in the training without a remedy.
    """

    model: nn.Module
    optimizer: Optimizer
    report: Report
    loader: Iterable[Any]
    steps: int


Remedy = Callable[[Trial], AbstractContextManager[Any]]
"""Changes the copy, and returns the context in which it is trained."""


def nothing(_: Trial) -> AbstractContextManager[Any]:
    """Leave the training as it is."""
    return nullcontext()


def lower_rate(trial: Trial) -> AbstractContextManager[Any]:
    """Take a tenth of the learning rate."""
    return _scaled_rate(trial.model, lambda _: LOWER)


def warm_up(trial: Trial) -> AbstractContextManager[Any]:
    """Raise the learning rate from 0 to its value over the first quarter of the steps."""
    steps = max(1, round(WARM_UP * trial.steps))
    return _scaled_rate(trial.model, lambda step: min(1.0, (step + 1) / steps))


@contextmanager
def clipping(trial: Trial) -> Iterator[None]:
    """Clip the norm of the gradient of all parameters to 1 before every step."""

    def clip(optimizer: Optimizer, *_: Any) -> None:
        if _trains(optimizer, trial.model):
            nn.utils.clip_grad_norm_(trial.model.parameters(), LARGEST_NORM)

    hook = register_optimizer_step_pre_hook(clip)
    try:
        yield
    finally:
        hook.remove()


def zero_bias(trial: Trial) -> AbstractContextManager[Any]:
    """Set the biases of the layers that compute the units to 0."""
    changed = 0
    for dependencies in find_dependencies(trial.model, trial.report, trial.loader).values():
        for entries in dependencies.entries if isinstance(dependencies, Dependencies) else ():
            if entries.role in ("bias", "shift"):
                tensor: Tensor = getattr(
                    trial.model.get_submodule(entries.parameter.path), entries.parameter.name
                )
                with torch.no_grad():
                    tensor.masked_fill_((entries.labels != 0).to(tensor.device), 0.0)
                changed += 1
    if not changed:
        raise DyingReluError("no bias of a layer before an activation can be told")
    return nullcontext()


def revived(trial: Trial) -> AbstractContextManager[Any]:
    """Give the dead units new weights."""
    table = revive(trial.model, trial.report, trial.optimizer, data=trial.loader)
    if not table["revived"].any():
        raise DyingReluError("no dead unit can be revived")
    return nullcontext()


def leaky(trial: Trial) -> AbstractContextManager[Any]:
    """Let a leaky ReLU take the place of every ReLU of the model."""
    for module in trial.model.modules():
        mode = _Leaky()
        module.register_forward_pre_hook(lambda *_, mode=mode: mode.__enter__() and None)
        module.register_forward_hook(lambda *_, mode=mode: mode.__exit__(None, None, None), always_call=True)
    return nullcontext()


REMEDIES: dict[str, Remedy] = {
    f"learning rate x {LOWER}": lower_rate,
    f"gradients clipped to norm {LARGEST_NORM:g}": clipping,
    "warm-up": warm_up,
    "biases 0": zero_bias,
    "revived": revived,
    f"leaky ReLU ({SLOPE})": leaky,
}
"""Name -> the remedy; to try another, add it here."""


class _Leaky(TorchFunctionMode):
    """Makes a leaky ReLU of every ReLU."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        options = options or {}
        if activation(function, arguments, options) != "relu":
            return function(*arguments, **options)
        z = arguments[0] if arguments else options["input"]
        return functional.leaky_relu(z, SLOPE)


@contextmanager
def _scaled_rate(model: nn.Module, factor: Callable[[int], float]) -> Iterator[None]:
    """Scale the learning rate in every step of an optimizer of the model, and only there: schedules see their own."""
    rates: dict[int, list[Any]] = {}
    steps: dict[int, int] = {}

    def before(optimizer: Optimizer, *_: Any) -> None:
        if _trains(optimizer, model):
            step = steps.setdefault(id(optimizer), 0)
            rates[id(optimizer)] = [group["lr"] for group in optimizer.param_groups]
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * factor(step)

    def after(optimizer: Optimizer, *_: Any) -> None:
        for group, rate in zip(optimizer.param_groups, rates.pop(id(optimizer), ()), strict=False):
            group["lr"] = rate
        if id(optimizer) in steps:
            steps[id(optimizer)] += 1

    hooks = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _trains(optimizer: Optimizer, model: nn.Module) -> bool:
    own = {id(parameter) for parameter in model.parameters()}
    return any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])


@contextmanager
def counted_steps(model: nn.Module) -> Iterator[list[int]]:
    """Count the steps of the optimizers of a model within the block.

    Args:
        model: in training.

    Yields:
        A list whose only entry is their number so far.
    """
    number = [0]

    def count(optimizer: Optimizer, *_: Any) -> None:
        number[0] += _trains(optimizer, model)

    hook = register_optimizer_step_post_hook(count)
    try:
        yield number
    finally:
        hook.remove()
