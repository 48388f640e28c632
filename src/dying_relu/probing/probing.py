"""Shows a model its data and counts its units."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.inputs import InputScale
from dying_relu.probing.report import Report
from dying_relu.probing.showing import evaluating, on_device, parts, unwrapped
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
    model = unwrapped(model)
    watcher = Watcher(model, unit_axis, loss is not None)
    scale, batches = InputScale(), 0
    with evaluating(model), watcher.hooked(), torch.set_grad_enabled(loss is not None):
        for number, batch in enumerate(loader, start=1):
            inputs, labels = parts(on_device(batch, model), number)
            _require_finite(inputs, number)
            scale.add(inputs)
            watcher.start_batch()
            output = _run(model, inputs, watcher, number)
            if loss is not None:
                _backward(model, loss, output, labels)
            batches = number
    if not batches:
        raise DyingReluError("the loader is empty", expected="at least one batch")
    if not watcher.layers:
        raise DyingReluError(
            "no activation was called", expected="a model that calls one, such as nn.ReLU or torch.relu"
        )
    arguments = frozenset(inputs if isinstance(inputs, Mapping) else ())
    return Report(watcher.layers, _never_called(model, watcher), scale, loader, arguments)


def _require_finite(inputs: Any, number: int) -> None:
    tensors = inputs.values() if isinstance(inputs, Mapping) else [inputs]
    for tensor in tensors:
        # The sum is not finite if an entry is not; only then are the entries looked at.
        is_float = isinstance(tensor, Tensor) and tensor.is_floating_point()
        if is_float and not tensor.sum().isfinite() and (bad := int((~tensor.isfinite()).sum())):
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
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if trainable:
        torch.autograd.grad(loss(output, labels), trainable, allow_unused=True)


def _never_called(model: nn.Module, watcher: Watcher) -> dict[str, str]:
    """Activation modules that no batch has reached: path -> kind."""
    return {
        path: type(module).__name__
        for path, module in model.named_modules()
        if type(module).__module__ == "torch.nn.modules.activation"
        and not isinstance(module, nn.MultiheadAttention | nn.Softmax | nn.LogSoftmax)
        and path not in watcher.layers
    }
