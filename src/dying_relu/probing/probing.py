"""Shows a model its data and counts its units."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.report import Report
from dying_relu.probing.watching import UnitAxis, Watcher

Loss = Callable[[Any, Any], Tensor]


def probe(
    model: nn.Module,
    loader: Iterable[Any],
    *,
    loss: Loss | None = None,
    unit_axis: UnitAxis = None,
) -> Report:
    """Find the dead, inactive, dormant and saturated units of ``model`` on the data of ``loader``, in one pass.

    The model runs in evaluation mode, on the device it is on; its mode, its gradients and its hooks are left as they were.

    Args:
        model: any module but a scripted one. A DataParallel-wrapped or compiled model is probed as what it wraps, uncompiled.
        loader: batches: a tensor, a tuple or list (inputs, labels, ...), or a dict of keyword arguments of the model.
        loss: (output, labels) -> scalar; with it the report says how much gradient reaches each unit. Needs batches with labels.
        unit_axis: axis of the units, for all layers or by name; by default the second for what follows a convolution or its
            normalisation, the last for all else.

    Raises:
        DyingReluError: no batch, no activation, data that are not finite, a batch that the model refuses, a scripted model.

    >>> report = probe(nn.Sequential(nn.Linear(3, 8), nn.ReLU()), [torch.randn(16, 3)])
    >>> report.summary()[["layer", "units"]].to_dict("records")
    [{'layer': '1', 'units': 8}]
    """
    model = _unwrapped(model)
    _require_batches(loader)
    device = _device(model)
    watcher = Watcher(model, unit_axis, loss is not None)
    batches = 0
    with _evaluating(model), watcher.hooked(), _gradients(model, loss is not None):
        for number, batch in enumerate(loader, start=1):
            inputs, labels = _parts(_on_device(batch, device), number)
            tensors = list(_tensors(inputs))
            if tensors and all(tensor.numel() == 0 for tensor in tensors):
                continue
            _require_finite(tensors, number)
            watcher.start_batch()
            output = _run(model, inputs, watcher, number)
            if loss is not None:
                _backward(model, loss, output, labels)
            batches = number
    if not batches:
        raise DyingReluError("the loader is empty", expected="at least one batch with examples")
    if not watcher.layers:
        raise DyingReluError(
            "no activation was called", expected="a model that calls one, such as nn.ReLU or torch.relu"
        )
    return Report(watcher.layers, _never_called(model, watcher))


def _unwrapped(model: nn.Module) -> nn.Module:
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(model.module)
    if isinstance(original := getattr(model, "_orig_mod", None), nn.Module):
        return _unwrapped(original)
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise DyingReluError(
                f"module {path or type(module).__name__!r} is scripted, and what it calls cannot be seen",
                remedy="probe the model before torch.jit.script or torch.jit.trace",
            )
    return model


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards each module's own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _gradients(model: nn.Module, wanted: bool) -> Iterator[None]:
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


def _require_batches(loader: Any) -> None:
    """A single batch in place of the loader would be taken apart into examples, or into the keys of a dict."""
    if isinstance(loader, Tensor | Mapping | str) or not isinstance(loader, Iterable):
        raise DyingReluError(
            "the loader",
            found=type(loader).__name__,
            expected="an iterable of batches",
            remedy="put a single batch into a list",
        )


def _device(model: nn.Module) -> torch.device | None:
    """Where the model is, as far as its first parameter tells."""
    parameter = next(iter(model.parameters()), None)
    if parameter is not None and parameter.device.type == "meta":
        raise DyingReluError(
            "the model is on the meta device and has no values",
            remedy="load its weights first, for instance after model.to_empty(device='cpu')",
        )
    return None if parameter is None else parameter.device


def _on_device(batch: Any, device: torch.device | None) -> Any:
    if isinstance(batch, Tensor):
        # Autograd refuses a tensor of inference mode, and takes its copy.
        batch = batch.clone() if batch.is_inference() and not torch.is_inference_mode_enabled() else batch
        return batch if device is None or batch.device.type == "meta" else batch.to(device)
    if isinstance(batch, Mapping):
        return {key: _on_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        return [_on_device(part, device) for part in batch]
    return batch


def _parts(batch: Any, number: int) -> tuple[Any, Any]:
    """Inputs and labels of a batch; a dict goes to the model as it is."""
    if isinstance(batch, list):
        if not batch:
            raise DyingReluError(f"batch {number} is an empty tuple", expected="(inputs, labels)")
        return batch[0], batch[1] if len(batch) > 1 else None
    return batch, batch.get("labels") if isinstance(batch, Mapping) else None


def _tensors(inputs: Any) -> Iterator[Tensor]:
    """All tensors of a batch, however deep they lie."""
    if isinstance(inputs, Tensor):
        yield inputs
    elif isinstance(inputs, Mapping | list):
        for part in inputs.values() if isinstance(inputs, Mapping) else inputs:
            yield from _tensors(part)


def _require_finite(tensors: list[Tensor], number: int) -> None:
    for tensor in tensors:
        if tensor.device.type == "meta":
            raise DyingReluError(f"batch {number} is on the meta device", expected="values")
        # The sum is not finite if an entry is not; only then are the entries looked at.
        if not tensor.is_floating_point() or math.isfinite(tensor.sum()):
            continue
        if bad := int((~tensor.isfinite()).sum()):
            raise DyingReluError(
                f"batch {number} of the loader has values that are not finite",
                found=f"{bad} of {tensor.numel()}",
                remedy="a unit cannot be judged on them; mend the data",
            )


def _run(model: nn.Module, inputs: Any, watcher: Watcher, number: int) -> Any:
    try:
        with watcher:
            return model(**inputs) if isinstance(inputs, Mapping) else model(inputs)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        shape = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
        raise DyingReluError(
            f"the model refuses batch {number}", found=f"{shape}, and it says: {error}"
        ) from error


def _backward(model: nn.Module, loss: Loss, output: Any, labels: Any) -> None:
    """Send gradients back to the units, and leave those of the parameters as they are."""
    if labels is None:
        raise DyingReluError(
            "a loss without labels", expected="batches (inputs, labels), or no loss=", remedy="add the labels"
        )
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        return
    value = loss(output, labels)
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
        found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise DyingReluError(
            "the loss", found=str(found), expected="a tensor with one entry, with a gradient to the output"
        )
    torch.autograd.grad(value, parameters, allow_unused=True)


def _never_called(model: nn.Module, watcher: Watcher) -> dict[str, str]:
    """Activation modules that no batch has reached: path -> kind."""
    return {
        path: type(module).__name__
        for path, module in model.named_modules()
        if type(module).__module__ == "torch.nn.modules.activation"
        and not isinstance(module, nn.MultiheadAttention | nn.Softmax | nn.LogSoftmax)
        and path not in watcher.layers
    }
