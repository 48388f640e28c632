"""Equivalence of two models on data, but for the order in which floating-point sums are taken."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import (
    device_of,
    evaluation_mode,
    preserved_random_state,
)
from dying_relu.probing.calling import model_inputs, on_device
from dying_relu.probing.forward_pass import uncompiled
from dying_relu.probing.outputs import tensors_of
from dying_relu.probing.report import Report
from dying_relu.probing.states import preserved_state

Call = Callable[[nn.Module], Any]


def tolerance(dtype: torch.dtype) -> float:
    """The difference allowed between outputs, as a share of the largest of a batch: the machine epsilon to the power of 2/3.

    Taking zeros out of a sum changes the order in which the rest is added, which moves a sum of n terms by about sqrt(n) epsilon. With
    n = epsilon^(-2/3), 41,000 in float32, that is this tolerance: more terms than a path through a network adds. What a unit that is
    not dead contributes is far more, unless it is as little as rounding.

    >>> f"{tolerance(torch.float32):.1e}"
    '2.4e-05'
    """
    return float(torch.finfo(dtype).eps ** (2 / 3))


def calls_on(model: nn.Module, data: Iterable[Any], report: Report) -> Iterator[Call]:
    """The calls of a model on data, as the probe called it.

    Args:
        model: decides on which device a batch is.
        data: batches, as for :func:`dying_relu.probe`; of those of the report as many as it has seen.
        report: says how the model takes a batch.

    Yields:
        For each batch a function that calls a model like this one.
    """
    most = (report.batches or None) if data is report.loader else None
    for number, batch in enumerate(islice(data, most), start=1):
        moved = on_device(batch, device_of(model))
        if report.call is not None:
            yield partial(_differentiating, partial(_called, report.call, moved))
        else:
            yield partial(_differentiating, model_inputs(moved, model, number, report.way).call)


def _called(call: Callable[[nn.Module, Any], Any], batch: Any, model: nn.Module) -> Any:
    return call(model, batch)


def _differentiating(call: Call, model: nn.Module) -> Any:
    """Call a model without gradients, or with them if its forward needs some."""
    try:
        return call(model)
    except RuntimeError as error:
        if torch.is_grad_enabled() or "grad" not in str(error):
            raise
        with torch.inference_mode(False), torch.enable_grad():
            return call(model)


def require_equal(
    model: nn.Module,
    other: nn.Module,
    data: Iterable[Any],
    report: Report,
    kind: str,
    *,
    constant_draws: bool = False,
) -> int:
    """Call both models on the data, in evaluation mode and with equal random numbers, and compare every tensor that they return.

    Args:
        model: the one that others are compared with; the state that it keeps between calls is as before.
        other: a model of the same outputs.
        data: batches, as for :func:`dying_relu.probe`.
        report: of the first; says how it takes a batch.
        kind: of the other, for a message, such as "pruned".
        constant_draws: random numbers are all the same number, since tensors of other sizes cannot get equal ones.

    Returns:
        How often the model drew random numbers, where ``constant_draws``; else 0.

    Raises:
        DyingReluError: one differs by more than :func:`tolerance`, or there are no data, or no tensors to compare.
    """
    batches, draws = 0, 0
    with (
        evaluation_mode(model),
        evaluation_mode(other),
        uncompiled(),
        torch.no_grad(),
        preserved_state(model),
    ):
        for number, call in enumerate(calls_on(model, data, report), start=1):
            old, drawn = _outputs(model, call, constant_draws)
            draws += drawn
            new, _ = _outputs(other, call, constant_draws)
            if not old or len(old) != len(new):
                raise DyingReluError(
                    f"the outputs of the {kind} model cannot be compared on batch {number}",
                    found=f"{len(old)} and {len(new)} tensors",
                    expected="as many as before, and at least one",
                )
            for first, second in zip(old, new, strict=True):
                _require_close(first, second, number, kind)
            batches = number
    if not batches:
        raise DyingReluError(
            "there are no data to compare the outputs on",
            expected="at least one batch",
            remedy="pass some with data=",
        )
    return draws


def _outputs(model: nn.Module, call: Call, constant_draws: bool) -> tuple[list[Tensor], int]:
    draws = _ConstantDraws() if constant_draws else None
    with preserved_random_state([]), draws or nullcontext():
        output = call(model)
    # Copied, since a model may return its own state.
    return [one.detach().clone() for one in tensors_of(output)], draws.number if draws else 0


class _ConstantDraws(TorchDispatchMode):
    """Makes every random number the same."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        result = function(*arguments, **(options or {}))
        name = str(function._schema.name).partition("::")[2].rstrip("_")
        if name == "native_dropout" and arguments[2]:
            self.number += 1
            return arguments[0].clone(), torch.ones_like(result[1])
        if name in DRAWS and isinstance(result, Tensor):
            self.number += 1
            result.fill_(1 if name == "bernoulli" else 0.5 if result.is_floating_point() else 0)
        return result


DRAWS = (
    *(
        "rand",
        "randn",
        "rand_like",
        "randn_like",
        "bernoulli",
        "normal",
        "uniform",
        "exponential",
        "log_normal",
        "cauchy",
    ),
    *("geometric", "random", "poisson", "normal_functional"),
)
"""Operations whose result is nothing but random numbers, of a size that may be that of a layer."""


def _require_close(old: Tensor, new: Tensor, number: int, kind: str) -> None:
    if old.shape != new.shape:
        raise DyingReluError(
            f"the {kind} model's outputs have another shape on batch {number}",
            found=str(tuple(new.shape)),
            expected=str(tuple(old.shape)),
        )
    share = tolerance(old.dtype) if old.is_floating_point() else 0.0
    wide = torch.complex128 if old.is_complex() else torch.float64
    old, new = old.to(wide), new.to(wide)
    largest = float(old.nan_to_num().abs().max()) if old.numel() else 0.0
    if not torch.allclose(old, new, rtol=0, atol=share * largest, equal_nan=True):
        raise DyingReluError(
            f"the {kind} model's outputs differ on batch {number}",
            found=f"a difference of {float((old - new).abs().max()):.3g}",
            expected=f"at most {share * largest:.3g}",
            remedy="use a report of this model, as it is now, on these data",
        )
