"""The change of each unit since the checkpoint before, and what moved it: its weights, its bias, or its inputs.

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
from dying_relu.training.resume import State

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
    network: Network,
    before: Sequence[Tensor],
    earlier: Sequence[Traced],
    now: Sequence[Traced],
    minibatch: int,
) -> dict[str, Transition]:
    """Compare ``network`` with its earlier self, for each hidden layer by name.

    Args:
        network: K networks without normalisation.
        before: the values that their parameters had, in the order of ``network.parameters()``.
        earlier: the trace (:func:`traced`) of the probe set while they had them.
        now: that of the same examples now.
        minibatch: examples in a minibatch, of which a batch of the trace holds one or several.
    """
    layers = {hidden.name: _Layer(hidden, network, before, minibatch) for hidden in network.hidden}
    for then, after in zip(earlier, now, strict=True):
        for name, layer in layers.items():
            layer.add(then[name], after[name])
    return {name: layer.transition() for name, layer in layers.items()}


def traced(network: Network, examples: Tensor, batch_size: int) -> list[Traced]:
    """Trace the probe set through a network, batch by batch in its order.

    Args:
        network: K networks.
        examples: (N, ...).
        batch_size: examples in a batch.
    """
    return [
        {hidden.name: (hidden.affine.x, z) for hidden, z in network.trace(x) if hidden is not None}
        for x in examples.split(batch_size)
    ]


class ParameterHistory:
    """The parameters of a stack at its latest checkpoint, and what the probe set gave with them.

    Args:
        minibatch: examples in a minibatch, of which :class:`Transition` counts some.
        batch: examples that are shown at once, a multiple of it.
    """

    def __init__(self, minibatch: int, batch: int) -> None:
        self.minibatch, self.batch = minibatch, batch
        self._values: list[Tensor] = []
        self._traced: Sequence[Traced] | None = None

    def advance(self, network: Network, examples: Tensor, now: Sequence[Traced]) -> dict[str, Transition]:
        """Compare with the checkpoint before, and keep the present one for the next.

        Args:
            network: K networks.
            examples: (N, ...) the probe set, the same at every checkpoint.
            now: its trace, in batches of ``batch``.

        Returns:
            hidden layer's name -> its transition; unknown at the first checkpoint, and of networks with normalisation.
        """
        if network.centrings or any(hidden.normalisation for hidden in network.hidden):
            return _unknown(network)
        before, earlier = self._values, self._traced
        self._values = [parameter.value.clone() for parameter in network.parameters()]
        self._traced = now
        if not before:
            return _unknown(network)
        if earlier is None:
            # This job goes on from a saved state, which has parameters only.
            with network.holding(before):
                earlier = traced(network, examples, self.batch)
        return transitions(network, before, earlier, now, self.minibatch)

    def state(self) -> State:
        """The parameters, for :meth:`restore`."""
        return {str(place): values for place, values in enumerate(self._values)}

    def restore(self, state: State, device: torch.device) -> None:
        """Go on from what :meth:`state` returned.

        Args:
            state: the parameters, on any device.
            device: of the networks.
        """
        self._values = [state[place].to(device) for place in sorted(state, key=int)]


def _unknown(network: Network) -> dict[str, Transition]:
    return {hidden.name: Transition.unknown(hidden) for hidden in network.hidden}


class _Layer:
    """Gather one layer's transition, batch by batch."""

    def __init__(self, hidden: Hidden, network: Network, before: Sequence[Tensor], minibatch: int) -> None:
        self.hidden, self.minibatch = hidden, minibatch
        value = {id(parameter): old for parameter, old in zip(network.parameters(), before, strict=True)}
        weight, bias = hidden.affine.weight, hidden.affine.bias
        affine: type[Linear] | type[Convolution] = type(hidden.affine)
        # Affine layers that never were: the new weights with the old bias, and the old layer.
        self.new_weights = affine(weight.value, value[id(bias)])
        self.old = affine(value[id(weight)], value[id(bias)])
        self.change_of_bias = bias.value - value[id(bias)]
        lowest = torch.full_like(bias.value, -torch.inf)
        self.highest = {"new_weights": lowest, "new_inputs": lowest}
        none = torch.zeros_like(bias.value)
        self.asleep = {"examples": none, "minibatches": none}
        self.woken = dict(self.asleep)

    def add(self, earlier: tuple[Tensor, Tensor], now: tuple[Tensor, Tensor]) -> None:
        """Add a batch.

        Args:
            earlier: the layer's input and its pre-activations, (K, U, ...), in the earlier state.
            now: the same in the present one, of the same shapes.
        """
        # The data stay as they are: of the first layer's pre-activations bias and weights alone move the new ones.
        is_first = self.hidden.depth == 1
        with_one_change = {
            "new_weights": now[1] if is_first else self.new_weights.forward(earlier[0]),
            "new_inputs": earlier[1] if is_first else self.old.forward(now[0]),
        }
        for name, z in with_one_change.items():
            by_unit, axis = self.hidden.by_unit(z)
            highest = by_unit.amax(axis)
            if is_first and name == "new_weights":
                highest = highest - self.change_of_bias
            self.highest[name] = torch.maximum(self.highest[name], highest)
        before, axis = self.hidden.by_unit(earlier[1])
        after, _ = self.hidden.by_unit(now[1])
        asleep, awake = before <= 0, after > 0
        self._count("examples", asleep.sum(axis), (asleep & awake).sum(axis))
        # Positions of an example lie next to each other.
        examples = earlier[1].shape[2 if earlier[1].dim() == 3 else 1]
        size = self.minibatch * (asleep.shape[axis] // examples)
        slept, woke = (flags.split(size, axis) for flags in (asleep, awake))
        asleep_everywhere = torch.stack([flags.all(axis) for flags in slept])
        awake_somewhere = torch.stack([flags.any(axis) for flags in woke])
        self._count("minibatches", asleep_everywhere.sum(0), (asleep_everywhere & awake_somewhere).sum(0))

    def _count(self, kind: str, asleep: Tensor, woken: Tensor) -> None:
        self.asleep[kind] = self.asleep[kind] + asleep
        self.woken[kind] = self.woken[kind] + woken

    def transition(self) -> Transition:
        # 0 / 0 is NaN.
        shares = {f"woken_{kind}": self.woken[kind] / self.asleep[kind] for kind in self.woken}
        return Transition(**{f"pre_activation_max_{name}": z for name, z in self.highest.items()}, **shares)
