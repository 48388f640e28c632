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


@contextmanager
def gradients(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Gradients, if wanted, in frozen layers too, and even if the caller has switched them off; afterwards all is as it was."""
    if not wanted:
        with torch.no_grad():
            yield
        return
    frozen = [
        parameter
        for parameter in model.parameters()
        if parameter.is_floating_point() and not parameter.requires_grad
    ]
    try:
        for parameter in frozen:
            parameter.requires_grad_(True)
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)


def device_of(model: nn.Module) -> torch.device | None:
    """Where the model is, as far as its first parameter tells."""
    parameter = next(iter(model.parameters()), None)
    if parameter is not None and parameter.device.type == "meta":
        raise DyingReluError(
            "the model is on the meta device and has no values",
            remedy="load its weights first, for instance after model.to_empty(device='cpu')",
        )
    return None if parameter is None else parameter.device


def on_device(batch: Any, device: torch.device | None) -> Any:
    """The tensors of a batch on ``device``, if there is one; tuples become lists."""
    if isinstance(batch, Tensor):
        # Autograd refuses a tensor of inference mode, and takes its copy.
        batch = batch.clone() if batch.is_inference() and not torch.is_inference_mode_enabled() else batch
        return batch if device is None or batch.device.type == "meta" else batch.to(device)
    if isinstance(batch, Mapping):
        return {key: on_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        return [on_device(part, device) for part in batch]
    return batch


def parts(batch: Any, number: int) -> tuple[Any, Any]:
    """Inputs and labels of a batch; a dict goes to the model as it is."""
    if isinstance(batch, list):
        if not batch:
            raise DyingReluError(f"batch {number} is an empty tuple", expected="(inputs, labels)")
        return batch[0], batch[1] if len(batch) > 1 else None
    return batch, batch.get("labels") if isinstance(batch, Mapping) else None


def tensors_in(inputs: Any) -> Iterator[Tensor]:
    """All tensors of a batch, however deep they lie."""
    if isinstance(inputs, Tensor):
        yield inputs
    elif isinstance(inputs, Mapping | list):
        for part in inputs.values() if isinstance(inputs, Mapping) else inputs:
            yield from tensors_in(part)
