"""Layers: the calls of activations that the same weights feed, and their statistics, added up.

A unit is dead if it is silent in every call that its weights feed: in a head that several scales share, in both halves of a siamese
network, at all steps of a recurrence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import prod

import torch
from torch import Tensor

from dying_relu.probing.layer_inputs import LayerInputs
from dying_relu.probing.statistics import ActiveExamples, at_least_float32
from dying_relu.probing.tensor_origins import Axes, Origin
from dying_relu.units.statistics import UnitStatistics

CALLS_KEPT = 100
"""So many calls of a layer have statistics of their own; those of later ones, as in a long recurrence, are added up."""


@dataclass
class Layer:
    """The activations that one set of weights feeds.

    Attributes:
        name: of its first call: path of the activation's module; for a function path of the module that calls it, ":" and the function;
            from the second call there on with "#2", "#3", ...
        kind: the activation.
        unit_axes: of its units in the pre-activations, counted from the end if the model has decided them; several where units lie on
            several axes, none where all numbers are of one unit.
        axes: how many axes the pre-activations have.
        calls: the statistics of each call, by its name, of all batches so far.
        statistics: of all calls together.
        weight_norm, bias: per unit, of the layer whose output the pre-activations are, as they were when the model was probed; None if
            they are more than that, or if the layer has no such entries.
        gradients: per unit, sums of the absolute and of the squared gradients of the losses at the pre-activations, (2, U); None if no
            gradient was asked for.
        guessed: whether nothing that computes the pre-activations said which axis is the units'.
        inputs: of the layer whose output the pre-activations are; None if they were not seen.
        computed: whether the pre-activations are the output of that layer and nothing else, so that their means are its effective
            biases.
    """

    name: str
    kind: str
    unit_axes: Axes
    axes: int
    units: int
    calls: dict[str, UnitStatistics] = field(default_factory=dict)
    weight_norm: Tensor | None = None
    bias: Tensor | None = None
    gradients: Tensor | None = None
    guessed: bool = False
    inputs: LayerInputs | None = None
    computed: bool = False
    active: Tensor | None = None
    examples: int = 0
    batch: ActiveExamples | None = None
    batches: dict[str, int] = field(default_factory=dict)
    gated_batches: dict[str, int] = field(default_factory=dict)
    _passed: dict[str, UnitStatistics] = field(default_factory=dict)
    _gated_examples: Tensor | None = None
    _gated_batch: ActiveExamples | None = None
    _merged: UnitStatistics | None = None

    @property
    def axis(self) -> int:
        """The axis of the units, where they lie on one; the last of several."""
        return self.unit_axes[-1] if self.unit_axes else -1

    @property
    def statistics(self) -> UnitStatistics:
        """Statistics of all calls together: a unit is dead if it is silent in every one."""
        if self._merged is None:
            self.end_batch()
            first, *others = (self._as_passed(name, one) for name, one in self.calls.items())
            merged = first
            for other in others:
                merged = merged.merge(other)
            gated = all(self.is_gated(name) for name in self.calls)
            active = self._gated_examples if gated and self._gated_examples is not None else self.active
            self._merged = replace(merged, active_examples=active, examples=self.examples)
        return self._merged

    def is_gated(self, call: str) -> bool:
        """Tell whether all that is read of a call has passed a gate.

        Args:
            call: its name.
        """
        return 0 < self.batches.get(call, 0) == self.gated_batches.get(call)

    def add_passed(
        self, call: str, largest: Tensor, total: Tensor, active: Tensor, examples: ActiveExamples
    ) -> None:
        """Add what a gate has let through of a call.

        Args:
            call: its name.
            largest: (units,) largest absolute activation.
            total: (units,) sum of absolute activations.
            active: (units,) on how many examples and positions it was positive.
            examples: which of them have woken which units.
        """
        before = self._passed.get(call)
        if before is not None:
            largest, total = torch.maximum(largest, before.activation_max), total + before.activation_sum
            active = active + before.active_count
        nothing = torch.zeros_like(largest)
        self._passed[call] = UnitStatistics(nothing, nothing, largest, nothing, total, active, 0)
        if self._gated_batch is not None and self._gated_batch.hit.shape == examples.hit.shape:
            self._gated_batch.hit |= examples.hit
        else:
            self._end_gated_batch()
            self._gated_batch = examples

    def _end_gated_batch(self) -> None:
        if self._gated_batch is not None:
            awake = self._gated_batch.hit.sum(0, dtype=torch.float64)
            self._gated_examples = awake if self._gated_examples is None else self._gated_examples + awake
            self._gated_batch = None

    def _as_passed(self, call: str, statistics: UnitStatistics) -> UnitStatistics:
        """Statistics of a call, with what passes its gate for its activation."""
        if not self.is_gated(call) or (passed := self._passed.get(call)) is None:
            return statistics
        silent = passed.activation_max == 0
        slope = statistics.derivative_max
        return replace(
            statistics,
            activation_max=passed.activation_max.to(slope.dtype),
            derivative_max=torch.where(
                silent & statistics.activation_max.isfinite(), torch.zeros_like(slope), slope
            ),
            activation_sum=passed.activation_sum,
            active_count=passed.active_count,
        )

    def examples_of(self, shape: tuple[int, ...], axis: int, batch: int | None) -> ActiveExamples:
        """The examples of this batch that have woken its units; those of other calls are the same examples.

        Args:
            shape: of a call's pre-activations, the units on one axis.
            axis: of the units, counted from the front.
            batch: number of examples that the model was given.
        """
        this = ActiveExamples.of(shape, self.units, axis, batch)
        if self.batch is not None and len(self.batch.hit) == len(this.hit):
            return ActiveExamples(self.batch.hit, this.inner)
        self.end_batch()
        self.batch = this
        return this

    def wake(self, examples: ActiveExamples) -> None:
        """Add a call's examples that have woken units.

        Args:
            examples: of this batch.
        """
        if self.batch is not None and self.batch.hit.shape == examples.hit.shape:
            self.batch.hit |= examples.hit
        else:
            self.end_batch()
            self.batch = examples

    def end_batch(self) -> None:
        """Count the examples of a batch, once, whatever the number of calls."""
        self._end_gated_batch()
        if self.batch is None:
            return
        # Sums of float32 are vectorised, and exact up to 2^24.
        awake = self.batch.hit.sum(0, dtype=torch.float32).double()
        self.active = awake if self.active is None else self.active + awake
        self.examples += len(self.batch.hit)
        self.batch = None

    def call_name(self, name: str) -> str:
        """The name under which a call is counted.

        Args:
            name: of the call.
        """
        if name in self.calls or len(self.calls) < CALLS_KEPT:
            return name
        return f"{self.name}, later calls"

    def add(self, name: str, statistics: UnitStatistics) -> None:
        """Set the statistics of a call.

        Args:
            name: of the call.
            statistics: of all batches so far; tensors of shape (units,).
        """
        self.calls[name], self._merged = statistics, None

    def add_gradient(self, gradient: Tensor) -> None:
        """Add the gradient of a loss.

        Args:
            gradient: (examples and positions, units).
        """
        sums = torch.stack([gradient.abs().sum(0), gradient.square().sum(0)])
        self.gradients = sums if self.gradients is None else self.gradients + sums


class Layers:
    """All layers of a model, and the one that a call belongs to.

    Calls are of one layer if the same weights feed them, each call by calls of its own. Two activations of one and the same tensor,
    such as those of a gate, are two layers. Where no weights are known, the name of the call decides.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Layer] = {}
        self._by_weights: dict[tuple[frozenset[int | str], int, int], Layer] = {}
        self.start_batch()

    def start_batch(self) -> None:
        """Begin a batch, in which weights are called anew."""
        self._reads: dict[frozenset[tuple[int | str, int]], int] = {}
        self._at_place: dict[str, list[tuple[Layer, frozenset[tuple[int | str, int]]]]] = {}

    def end_batch(self) -> None:
        """Count the examples of the batch in every layer."""
        for layer in self.by_name.values():
            layer.end_batch()

    def find(self, name: str, place: str, units: int, origin: Origin | None) -> Layer | None:
        """Find the layer of a call.

        Args:
            name: of the call.
            place: of the activation in the model.
            units: how many it has.
            origin: of the pre-activations.

        Returns:
            None if it is the first call of a layer that is not there yet; :meth:`add` then adds it.
        """
        sources = _weights_before_activations(origin)
        self._key = None
        self._sources, self._place = sources, place
        if not sources:
            return self.by_name.get(name)
        turn = self._reads[sources] = self._reads.get(sources, -1) + 1
        self._key = (frozenset(key for key, _ in sources), turn, units)
        layer = self._by_weights.get(self._key)
        if layer is None:
            layer = next(
                (
                    one
                    for one, of_call in self._at_place.get(place, ())
                    if one.units == units and _share_weights(of_call, sources)
                ),
                None,
            )
        if layer is not None:
            self._register(layer)
        return layer

    def add(self, layer: Layer) -> None:
        """Add the layer of the call that :meth:`find` was asked for last; if its name is taken, it gets the next that is free."""
        place, _, number = layer.name.partition("#")
        count = int(number or 1)
        while layer.name in self.by_name:
            count += 1
            layer.name = f"{place}#{count}"
        self.by_name[layer.name] = layer
        self._register(layer)

    def remove(self, layer: Layer) -> None:
        """Forget a layer."""
        self.by_name.pop(layer.name, None)
        self._by_weights = {key: one for key, one in self._by_weights.items() if one is not layer}

    def _register(self, layer: Layer) -> None:
        if self._key is not None:
            self._by_weights[self._key] = layer
            self._at_place.setdefault(self._place, []).append((layer, self._sources))


def _weights_before_activations(origin: Origin | None) -> frozenset[tuple[int | str, int]]:
    """The weights behind a tensor, or the activations where it has none."""
    if origin is None:
        return frozenset()
    weights = frozenset(source for source in origin.sources if isinstance(source[0], int))
    return weights or origin.sources


def _share_weights(one: Iterable[tuple[int | str, int]], other: Iterable[tuple[int | str, int]]) -> bool:
    """Tell whether a weight feeds both, in different calls of it."""
    calls = dict(one)
    return any(key in calls and calls[key] != call for key, call in other)


def weight_norm(weight: object, units: int, axes: int = 1) -> Tensor | None:
    """Norm of each unit's weights.

    Args:
        weight: units first.
        units: how many there are.
        axes: how many axes they lie on.

    Returns:
        (units,); None if there is no row for each.
    """
    if not isinstance(weight, Tensor) or weight.dim() == 0:
        return None
    if units not in (len(weight), prod(weight.shape[:axes])):
        return None
    return at_least_float32(weight).reshape(units, -1).norm(dim=1)


def bias_of(bias: object, units: int) -> Tensor | None:
    """Copy of a bias, since training goes on with the bias itself.

    Args:
        bias: of a layer.
        units: how many there are.

    Returns:
        (units,); None if there is not one for each.
    """
    return bias.detach().clone() if isinstance(bias, Tensor) and bias.shape == (units,) else None
