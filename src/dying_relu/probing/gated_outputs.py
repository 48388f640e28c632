"""Outputs of activations on their way through gates, and what these let through."""

from typing import NamedTuple

import torch
from torch import Tensor

from dying_relu.probing.layers import Layer
from dying_relu.probing.recorder import units_on_one_axis
from dying_relu.probing.statistics import ActiveExamples, by_unit
from dying_relu.probing.tensor_origins import Origin


class Counts(NamedTuple):
    """Statistics of what an activation has let through, by unit: (units,) each."""

    largest: Tensor
    total: Tensor
    active: Tensor
    examples: ActiveExamples


class Output:
    """The output of an activation, or what a gate has let through of it.

    Attributes:
        layer: of the activation.
        call: its name.
        shape: of the activation's output.
        counts: of what a gate has let through; None of the activation's own output.
        reads: how many functions have read it as it is.
        gated: what further gates let through of it.
    """

    __slots__ = ("call", "counts", "gated", "layer", "reads", "shape")

    def __init__(self, layer: Layer, call: str, shape: torch.Size, counts: Counts | None = None) -> None:
        self.layer, self.call, self.shape, self.counts = layer, call, shape, counts
        self.reads, self.gated = 0, list[Output]()

    def passed(self) -> list[Counts]:
        """The counts of what is read of it in the end; none if it is read without a gate."""
        if self.reads or not self.gated:
            return [] if self.counts is None else [self.counts]
        parts = [one.passed() for one in self.gated]
        return [counts for part in parts for counts in part] if all(parts) else []


class Selection(NamedTuple):
    """The largest of some pre-activations, or of an activation's output: the tensor, its origin, and the indices along an axis."""

    z: Tensor
    origin: Origin | None
    output: Output | None
    dim: int
    indices: Tensor

    def dense(self, values: Tensor) -> Tensor:
        """Put values at their places among zeros."""
        zeros = torch.zeros_like(self.z, dtype=values.dtype)
        return zeros.scatter(self.dim, self.indices, values)


def counts_of(passed: Tensor, gated: Tensor, layer: Layer, batch: int | None) -> Counts:
    """Largest absolute value, sum of these, and number of active ones of each unit; and the examples that have woken it.

    Args:
        passed: of the shape of the activation's output, 0 where the gate lets nothing through; a gate may change signs.
        gated: what came to the gate, same shape; a unit is active where it is positive and passes.
        layer: of the activation.
        batch: number of examples; None if it is not known.
    """
    on_one, axis = units_on_one_axis(passed, layer.unit_axes)
    rows = by_unit(on_one, axis)
    magnitude = rows.abs().double()
    examples = ActiveExamples.of(on_one.shape, layer.units, axis, batch)
    active = (rows != 0) & (by_unit(units_on_one_axis(gated, layer.unit_axes)[0], axis) > 0)
    examples.add(active)
    return Counts(magnitude.amax(0), magnitude.sum(0), active.sum(0, dtype=torch.float64), examples)
