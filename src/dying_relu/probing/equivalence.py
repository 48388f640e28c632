"""Equivalence of two models on data, but for the order in which floating-point sums are taken."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import ModelInputs, device_of, evaluation_mode, model_inputs, on_device


def tolerance(dtype: torch.dtype) -> float:
    """The difference allowed between outputs, as a share of the largest of a batch: the machine epsilon to the power of 2/3.

    Taking zeros out of a sum changes the order in which the rest is added, which moves a sum of n terms by about sqrt(n) epsilon. With
    n = epsilon^(-2/3), 41,000 in float32, that is this tolerance: more terms than a path through a network adds. What a unit that is
    not dead contributes is far more, unless it is as little as rounding.

    >>> f"{tolerance(torch.float32):.1e}"
    '2.4e-05'
    """
    return float(torch.finfo(dtype).eps ** (2 / 3))


def require_equal(model: nn.Module, other: nn.Module, data: Iterable[Any], kind: str) -> None:
    """Call both models on the data, in evaluation mode, and compare every tensor that they return.

    Args:
        model: the one that others are compared with.
        other: a model of the same outputs.
        data: batches, as for :func:`dying_relu.probe`.
        kind: of the other, for a message, such as "pruned".

    Raises:
        DyingReluError: one differs by more than :func:`tolerance`, or there are no data.
    """
    batches = 0
    with evaluation_mode(model), evaluation_mode(other), torch.no_grad():
        for number, batch in enumerate(data, start=1):
            inputs = model_inputs(on_device(batch, device_of(model)), model, number)
            for old, new in zip(_outputs(model, inputs), _outputs(other, inputs), strict=True):
                _require_close(old, new, number, kind)
            batches = number
    if not batches:
        raise DyingReluError(
            "there are no data to compare the outputs on",
            expected="at least one batch",
            remedy="pass some with data=",
        )


def _outputs(model: nn.Module, inputs: ModelInputs) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(inputs.call(model)) if isinstance(leaf, Tensor)]


def _require_close(old: Tensor, new: Tensor, number: int, kind: str) -> None:
    share = tolerance(old.dtype) if old.is_floating_point() else 0.0
    old, new = old.double(), new.double()
    largest = float(old.nan_to_num().abs().max()) if old.numel() else 0.0
    if not torch.allclose(old, new, rtol=0, atol=share * largest, equal_nan=True):
        raise DyingReluError(
            f"the {kind} model's outputs differ on batch {number}",
            found=f"a difference of {float((old - new).abs().max()):.3g}",
            expected=f"at most {share * largest:.3g}",
            remedy="use a report of this model, as it is now, on these data",
        )
