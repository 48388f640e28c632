"""The probe: one pass of a model over data, and the statistics of its units."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import UnobservedModule, is_activation, unobserved_modules
from dying_relu.probing.batches import (
    InputScale,
    ModelInputs,
    device_of,
    evaluation_mode,
    gradients_enabled,
    model_inputs,
    on_device,
    tensors_in,
    unwrapped,
)
from dying_relu.probing.hooks import ActivationHooks
from dying_relu.probing.recorder import Recorder, UnitAxis
from dying_relu.probing.report import Report

REFUSALS = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AssertionError,
    AttributeError,
    ArithmeticError,
)
"""The errors that models raise for batches that do not fit."""

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
        loader: batches: a tensor; a tuple or list (inputs, labels, ...), for a model of several arguments ((first, second), labels) or
            (first, second, labels); or a dict, of which the model gets what it has arguments for.
        loss: (output, labels) -> scalar; with it the report says how much gradient reaches each unit. Needs batches with labels.
        unit_axis: axis of the units, for all layers or by name; by default the second for what follows a convolution or its
            normalisation, the last for all else.

    Returns:
        The report: tables of layers and units, advice, figure and page.

    Raises:
        DyingReluError: no batch, no activation, data that are not finite, a batch that the model refuses, a scripted model.

    >>> report = probe(nn.Sequential(nn.Linear(3, 8), nn.ReLU()), [torch.randn(16, 3)])
    >>> report.summary()[["layer", "units"]].to_dict("records")
    [{'layer': '1', 'units': 8}]
    """
    model = unwrapped(model)
    _require_batches(loader)
    device = device_of(model)
    recorder = Recorder(unit_axis, loss is not None)
    hooks = ActivationHooks(model, recorder)
    scale, batches = InputScale(), 0
    with evaluation_mode(model), hooks.registered(), gradients_enabled(model, loss is not None):
        for number, batch in enumerate(loader, start=1):
            inputs = model_inputs(on_device(batch, device), model, number)
            tensors = list(tensors_in([inputs.positional, inputs.named]))
            if tensors and all(tensor.numel() == 0 for tensor in tensors):
                continue
            _require_finite(tensors, number)
            scale.add(tensors)
            hooks.start_batch(next((len(tensor) for tensor in tensors if tensor.dim()), None))
            output = _run(model, inputs, hooks, number)
            if loss is not None:
                _backward(model, loss, output, inputs.labels)
            hooks.end_batch()
            batches = number
    if not batches:
        raise DyingReluError("the loader is empty", expected="at least one batch with examples")
    layers = recorder.layers.by_name
    hidden = unobserved_modules(model, hooks.called_modules, (*layers, *recorder.not_counted))
    hidden |= {name: one for name, one in recorder.not_counted.items() if name not in layers}
    _require_layers(recorder, hidden)
    arguments = frozenset(inputs.named)
    never = _never_called(model, hooks)
    return Report(layers, never, scale, loader, arguments, recorder.calls, hidden)


def _require_layers(recorder: Recorder, hidden: dict[str, UnobservedModule]) -> None:
    """Require some layers, and among them those that the caller has named."""
    layers = recorder.layers.by_name
    if not layers:
        raise DyingReluError(
            "no activation was called that can be seen",
            found="; ".join(f"{path or one.kind}: {one.reason}" for path, one in hidden.items()),
            expected="a model that calls one, such as nn.ReLU or torch.relu",
        )
    named = recorder.unit_axis if isinstance(recorder.unit_axis, dict) else {}
    if unknown := [name for name in named if name not in layers and name not in hidden]:
        raise DyingReluError(
            "unit_axis names a layer that is not there",
            found=", ".join(map(repr, unknown)),
            expected=f"some of {', '.join(layers)}",
        )


def _require_batches(loader: Any) -> None:
    """Refuse a single batch in place of the loader: it would be taken apart into examples, or into the keys of a dict."""
    if isinstance(loader, Tensor | Mapping | str) or not isinstance(loader, Iterable):
        raise DyingReluError(
            "the loader",
            found=type(loader).__name__,
            expected="an iterable of batches",
            remedy="put a single batch into a list",
        )


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


def _run(model: nn.Module, inputs: ModelInputs, hooks: ActivationHooks, number: int) -> Any:
    try:
        with hooks:
            return inputs.call(model)
    except REFUSALS as error:
        raise DyingReluError(
            f"the model refuses batch {number}",
            found=f"{inputs}, and it says: {type(error).__name__}: {error}",
            remedy="batches are tensors, (inputs, labels), as many inputs as the model has arguments and then labels, or dicts of its "
            "arguments by name",
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


def _never_called(model: nn.Module, hooks: ActivationHooks) -> dict[str, str]:
    """Activation modules that no batch has reached: path -> kind."""
    return {
        path: type(module).__name__
        for path, module in model.named_modules()
        if is_activation(module) and path not in hooks.called_modules
    }
