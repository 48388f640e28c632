"""What became of a unit since the checkpoint before, and what moved it: its weights, its bias, or its inputs.

The largest pre-activation of a unit over the probe set is b + max_x w a(x), so its change from (w, b, a) to (w', b', a') is that of
the bias, which is recorded, and that of max_x w a(x). The latter is due to the weights and to the inputs, which the layers below
have moved; what either alone would have done is measured here, by showing the old inputs to the new weights and the reverse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import Linear
from dying_relu.stack.network import Hidden, Network

Traced = dict[str, tuple[Tensor, Tensor]]
"""Hidden layer's name -> its input and its pre-activations."""


@dataclass(frozen=True)
class Transition:
    """The units of a hidden layer, from an earlier state of K networks to the present one; every tensor is (K, U).

    Attributes:
        pre_activation_max_new_weights: the largest pre-activation had only the weights changed, neither the bias nor the inputs.
        pre_activation_max_new_inputs: the same had only the inputs changed.
        woken_examples: of the examples (and positions) on which the pre-activation was not positive, the share on which it is now;
            NaN where there was none.
        woken_minibatches: of the minibatches on which the unit was inactive, the share on which it is not any more; NaN as above.
    """

    pre_activation_max_new_weights: Tensor
    pre_activation_max_new_inputs: Tensor
    woken_examples: Tensor
    woken_minibatches: Tensor

    @classmethod
    def unknown(cls, hidden: Hidden) -> "Transition":
        """Of a layer whose networks have no earlier state: NaN."""
        nothing = torch.full_like(hidden.affine.bias.value, torch.nan)
        return cls(nothing, nothing, nothing, nothing)


def transitions(
    network: Network, before: Sequence[Tensor], earlier: Sequence[Traced], now: Sequence[Traced]
) -> dict[str, Transition]:
    """Compare ``network`` with its earlier self, for each hidden layer by name.

    Args:
        network: K networks without normalisation.
        before: the values that their parameters had, in the order of ``network.parameters()``.
        earlier: what :func:`traced` returned while they had them.
        now: what it returns of the same examples now.
    """
    layers = {hidden.name: _Layer(hidden, network, before) for hidden in network.hidden}
    for then, after in zip(earlier, now, strict=True):
        for name, layer in layers.items():
            layer.add(then[name], after[name])
    return {name: layer.transition() for name, layer in layers.items()}


def traced(network: Network, examples: Tensor, batch_size: int) -> list[Traced]:
    """Show the probe set ``examples`` (N, ...) to ``network``, minibatch by minibatch in its order."""
    return [
        {hidden.name: (hidden.affine.x, z) for hidden, z in network.trace(x) if hidden is not None}
        for x in examples.split(batch_size)
    ]


class _Layer:
    """Gathers one layer's transition, minibatch by minibatch."""

    def __init__(self, hidden: Hidden, network: Network, before: Sequence[Tensor]) -> None:
        self.hidden = hidden
        value = {id(parameter): old for parameter, old in zip(network.parameters(), before, strict=True)}
        weight, bias = hidden.affine.weight, hidden.affine.bias
        affine: type[Linear] | type[Convolution] = type(hidden.affine)
        # Affine layers that never were: the new weights with the old bias, and the old layer.
        self.new_weights = affine(weight.value, value[id(bias)])
        self.old = affine(value[id(weight)], value[id(bias)])
        lowest = torch.full_like(bias.value, -torch.inf)
        self.highest = {"new_weights": lowest, "new_inputs": lowest}
        none = torch.zeros_like(bias.value)
        self.asleep = {"examples": none, "minibatches": none}
        self.woken = dict(self.asleep)

    def add(self, earlier: tuple[Tensor, Tensor], now: tuple[Tensor, Tensor]) -> None:
        """One minibatch: the layer's input and pre-activations earlier and now."""
        # The data stay as they are, and the first layer's pre-activations with them.
        tried = {
            "new_weights": self.new_weights.forward(earlier[0]),
            "new_inputs": earlier[1] if self.hidden.depth == 1 else self.old.forward(now[0]),
        }
        for name, z in tried.items():
            by_unit, axis = self.hidden.by_unit(z)
            self.highest[name] = torch.maximum(self.highest[name], by_unit.amax(axis))
        before, axis = self.hidden.by_unit(earlier[1])
        after, _ = self.hidden.by_unit(now[1])
        asleep, awake = before <= 0, after > 0
        self._count("examples", asleep.sum(axis), (asleep & awake).sum(axis))
        asleep_everywhere = asleep.all(axis)
        self._count("minibatches", asleep_everywhere, asleep_everywhere & awake.any(axis))

    def _count(self, what: str, asleep: Tensor, woken: Tensor) -> None:
        self.asleep[what] = self.asleep[what] + asleep
        self.woken[what] = self.woken[what] + woken

    def transition(self) -> Transition:
        # 0 / 0 is NaN.
        shares = {f"woken_{what}": self.woken[what] / self.asleep[what] for what in self.woken}
        return Transition(**{f"pre_activation_max_{name}": z for name, z in self.highest.items()}, **shares)
