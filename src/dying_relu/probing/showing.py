"""How a model is shown a batch, whatever both are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError


def unwrapped(model: nn.Module) -> nn.Module:
    """What a DataParallel-wrapped or compiled model wraps, else the model.

    Raises:
        DyingReluError: it is no module, or one that is scripted.
    """
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(model.module)
    if isinstance(original := getattr(model, "_orig_mod", None), nn.Module):
        return unwrapped(original)
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise DyingReluError(
                f"module {path or type(module).__name__!r} is scripted, and what it calls cannot be seen",
                remedy="probe the model before torch.jit.script or torch.jit.trace",
            )
    return model


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards each module's own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def on_device(batch: Any, model: nn.Module) -> Any:
    """The tensors of a batch on the device of the model's first parameter."""
    parameter = next(iter(model.parameters()), None)
    if isinstance(batch, Tensor):
        return batch if parameter is None else batch.to(parameter.device)
    if isinstance(batch, Mapping):
        return {key: on_device(value, model) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        return [on_device(part, model) for part in batch]
    return batch


def parts(batch: Any, number: int) -> tuple[Any, Any]:
    """Inputs and labels of a batch; a dict goes to the model as it is."""
    if isinstance(batch, list):
        if not batch:
            raise DyingReluError(f"batch {number} is an empty tuple", expected="(inputs, labels)")
        return batch[0], batch[1] if len(batch) > 1 else None
    return batch, batch.get("labels") if isinstance(batch, Mapping) else None
