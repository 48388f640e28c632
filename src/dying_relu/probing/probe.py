"""The probe: one pass of a model over data, and the statistics of its units."""

import math
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import (
    UnobservedModule,
    is_activation,
    unobserved_modules,
    unreached_functions,
)
from dying_relu.probing.batches import (
    InputScale,
    device_of,
    evaluation_mode,
    gradients_enabled,
    unwrapped,
)
from dying_relu.probing.calling import LABELS, ModelCall, on_device, tensors_in
from dying_relu.probing.forward_pass import REFUSALS, ForwardPass, uncompiled, without_checkpoints
from dying_relu.probing.hooks import ActivationHooks
from dying_relu.probing.masks import Mask, positions_that_count
from dying_relu.probing.provenance import Provenance
from dying_relu.probing.recorder import Recorder, UnitAxis
from dying_relu.probing.report import Report
from dying_relu.probing.selected_layers import Selected

MOST_BATCHES = 1000
"""So many batches are taken of a loader that does not say how many it has, unless the caller says how many."""

SECONDS_BETWEEN_WORDS = 1.0

Loss = Callable[[Any, Any], Tensor]


def probe(
    model: nn.Module,
    loader: Iterable[Any],
    *,
    loss: Loss | None = None,
    unit_axis: UnitAxis = None,
    call: ModelCall | None = None,
    batches: int | None = None,
    mask: Mask | None = None,
    layers: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] = (),
    activations: str | Sequence[str] = (),
    progress: bool | Callable[[int], None] = False,
) -> Report:
    """Find the dead, inactive, dormant and saturated units of ``model`` on the data of ``loader``, in one pass.

    The model runs in evaluation mode, on the device it is on; its mode, its gradients and its hooks are left as they were.

    Args:
        model: any module but a scripted one. A DataParallel-wrapped or compiled model is probed as what it wraps, uncompiled.
        loader: batches: a tensor; a tuple or list (inputs, labels, ...), for a model of several arguments ((first, second), labels) or
            (first, second, labels); a dict, of which the model gets what it has arguments for, or the whole; anything else as it is.
        loss: (output, labels) -> scalar; with it the report says how much gradient reaches each unit.
        unit_axis: axis of the units, or several, for all layers or by name; by default those along which weights differ.
        call: (model, batch) -> output, for a model that takes its batches in a way of its own.
        batches: how many to take; by default all, and at most 1,000 of a loader without a length, with a warning if there are more.
        mask: which positions count, such as those that are no padding: the key of a batch under which it lies, or a function of the
            batch; (examples, ...) true where one counts. The report names the layers that it does not fit, which count all.
        layers: names or patterns (``encoder.*``) of the layers to report; by default all.
        ignore: names or patterns of layers to leave out.
        activations: paths or patterns of modules whose output is an activation, whatever they do inside; and of functions, as
            ``path:function``. :func:`~dying_relu.probing.marks.mark_activation` names any tensor.
        progress: True prints on stderr how many batches were seen, a function is called with the number.

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
    recorder = Recorder(unit_axis, loss is not None, selected=Selected.of(layers, ignore))
    hooks = ActivationHooks(model, recorder, activations)
    forward = ForwardPass(model, hooks, call)
    scale, seen = InputScale(), 0
    arguments: frozenset[str] = frozenset()
    with ExitStack() as stack:
        stack.enter_context(evaluation_mode(model))
        stack.enter_context(hooks.registered())
        stack.enter_context(gradients_enabled(model, loss is not None))
        stack.enter_context(uncompiled())
        stack.enter_context(without_checkpoints(loss is not None))
        for number, batch in enumerate(_some(loader, batches, progress), start=1):
            moved = on_device(batch, device)
            ways = forward.inputs(moved, number)
            tensors = list(tensors_in(_data(ways[0], call)))
            if tensors and all(tensor.numel() == 0 for tensor in tensors):
                continue
            _add_inputs(scale, tensors, number)
            recorder.mask = positions_that_count(mask, moved, number)
            inputs, output = forward.run(ways, number)
            if loss is not None:
                _backward(model, loss, output, inputs.labels)
            hooks.end_batch()
            arguments = frozenset(inputs.named)
            seen = number
    if not seen:
        raise DyingReluError("the loader is empty", expected="at least one batch with examples")
    return _report(model, hooks, scale, loader, arguments, forward, seen)


def _report(
    model: nn.Module,
    hooks: ActivationHooks,
    scale: InputScale,
    loader: Iterable[Any],
    arguments: frozenset[str],
    forward: ForwardPass,
    seen: int,
) -> Report:
    recorder = hooks.recorder
    hooks.named.require_found()
    found = recorder.layers.by_name
    hidden = unobserved_modules(model, hooks.called_modules, (*recorder.seen, *recorder.not_counted))
    hidden |= {name: one for name, one in recorder.not_counted.items() if name not in found}
    _require_layers(recorder, hidden)
    never = _never_called(model, hooks)
    never |= {name: kind for name, kind in recorder.empty.items() if name not in recorder.seen}
    never |= unreached_functions(model, hooks.called_modules, recorder.seen)
    return Report(
        found,
        never,
        scale,
        loader,
        arguments,
        recorder.calls,
        hidden,
        remarks=recorder.remarks,
        way=forward.way,
        call=forward.call_model,
        batches=seen,
        activations=hooks.named.names,
        provenance=Provenance.now(type(model).__name__, seen),
    )


def _data(inputs: Any, call: ModelCall | None) -> Any:
    """What a model gets of a batch; of one that the caller hands over, what stands before the labels."""
    given = [*inputs.positional, *inputs.named.values()]
    if call is None:
        return given
    batch = given[0]
    if isinstance(batch, Mapping):
        return [value for name, value in batch.items() if name not in LABELS]
    return batch[:1] if isinstance(batch, tuple | list) else batch


def _some(
    loader: Iterable[Any], batches: int | None, progress: bool | Callable[[int], None]
) -> Iterator[Any]:
    """The batches that are wanted of a loader, and words about how many there were."""
    if batches is not None and batches < 1:
        raise DyingReluError("batches", found=str(batches), expected="a number, at least 1")
    most = MOST_BATCHES if batches is None and _length(loader) is None else batches
    told = time.monotonic()
    number = 0
    for number, batch in enumerate(loader, start=1):
        if most is not None and number > most:
            warnings.warn(
                f"the loader does not say how many batches it has and gives more than {most:,}: the report is of these; "
                "batches= takes more, or fewer",
                stacklevel=3,
            )
            return
        yield batch
        if callable(progress):
            progress(number)
        elif progress and time.monotonic() - told > SECONDS_BETWEEN_WORDS:
            told = time.monotonic()
            print(f"probe: {number:,} batches", file=sys.stderr)
        if number == batches:
            break
    if progress is True:
        print(f"probe: {number:,} batches, done", file=sys.stderr)


def _length(loader: Iterable[Any]) -> int | None:
    try:
        return len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None


def _require_layers(recorder: Recorder, hidden: dict[str, UnobservedModule]) -> None:
    """Require some layers, and among them those that the caller has named."""
    layers = recorder.layers.by_name
    known = {*layers, *hidden, *recorder.seen}
    named = recorder.unit_axis if isinstance(recorder.unit_axis, dict) else {}
    for option, names in (
        ("unit_axis", [name for name in named if name not in known]),
        ("layers or ignore", recorder.selected.unmatched(known)),
    ):
        if layers and names:
            raise DyingReluError(
                f"{option} names a layer that is not there",
                found=", ".join(map(repr, names)),
                expected=f"some of {', '.join(layers)}",
            )
    if not layers:
        raise DyingReluError(
            "no activation was called that can be seen",
            found="; ".join(f"{path or one.kind}: {one.reason}" for path, one in hidden.items()),
            expected="a model that calls one, such as nn.ReLU or torch.relu",
            remedy="activations= names a module or function whose output is one, mark_activation any tensor in forward",
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


def _add_inputs(scale: InputScale, tensors: list[Tensor], number: int) -> None:
    """Add the inputs of a batch to their scale; all their entries must be finite."""
    if any(tensor.device.type == "meta" for tensor in tensors):
        raise DyingReluError(f"batch {number} is on the meta device", expected="values")
    scale.add(tensors)
    # The sum is not finite if an entry is not; only then are the entries looked at.
    if math.isfinite(scale.total):
        return
    for tensor in tensors:
        if bad := int((~tensor.isfinite()).sum()):
            raise DyingReluError(
                f"batch {number} of the loader has values that are not finite",
                found=f"{bad} of {tensor.numel()}",
                remedy="a unit cannot be judged on them; mend the data",
            )


def _backward(model: nn.Module, loss: Loss, output: Any, labels: Any) -> None:
    """Send gradients back to the units, and leave those of the parameters as they are."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        return
    try:
        value = loss(output, labels)
    except REFUSALS as error:
        # A model that computes its loss itself has no labels to compare with.
        if labels is not None:
            raise
        raise DyingReluError(
            "a loss without labels",
            found=f"{type(error).__name__}: {error}",
            expected="batches (inputs, labels), or no loss=",
            remedy="add the labels",
        ) from error
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
