"""Networks without their dead units."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import ElementWise, Flatten, Layer, Linear
from dying_relu.stack.network import Network
from dying_relu.stack.normalisation import Normalisation
from dying_relu.stack.pooling import MaxPooling


def pruned(network: Network, k: int, dead: Mapping[str, Tensor]) -> Network:
    """Copy the ``k``-th network of a stack, as a stack of one, without the units that are dead.

    A unit that outputs 0 adds nothing to what the next layer computes: removing its row of weights, its bias and the weights that
    read it leaves the function as it was, up to the order in which floating-point sums are taken. Of a layer whose every unit
    is dead one unit stays, because a layer without outputs is no layer.

    Args:
        network: K networks.
        k: which of them.
        dead: for each hidden layer by name, (K, U) bool.

    Returns:
        It can be shown examples; its hidden layers have no names.
    """
    names = {id(hidden.affine): hidden.name for hidden in network.hidden}
    layers: list[Layer] = []
    before = Kept(torch.arange(1), 1)
    for layer in network.layers:
        if isinstance(layer, Linear | Convolution):
            name = names.get(id(layer))
            kept = Kept.of(dead[name][k] if name else torch.zeros_like(layer.bias.value[k], dtype=torch.bool))
            weight = layer.weight.value[k][kept.units][:, before.columns(layer.weight.value.shape[2])]
            layers.append(type(layer)(weight[None], layer.bias.value[k][kept.units][None]))
            before = kept
        elif isinstance(layer, Normalisation):
            layers.append(layer.part(k, before.units))
        elif isinstance(layer, ElementWise):
            layers.append(_of_one(layer, k))
        elif isinstance(layer, MaxPooling):
            layers.append(MaxPooling(layer.rectifier and _of_one(layer.rectifier, k)))
        else:
            assert isinstance(layer, Flatten), f"pruning does not know {type(layer).__name__}"
            layers.append(Flatten())
    return Network(layers, [])


def prunable(network: Network) -> bool:
    """Tell if a unit can be removed without a change of others: not where a layer is normalised over its units, or a mean is subtracted."""
    if network.centrings:
        return False
    normalisations = (hidden.normalisation for hidden in network.hidden)
    return all(layer is None or layer.by_itself for layer in normalisations)


def _of_one(layer: ElementWise, k: int) -> ElementWise:
    """The activation of network ``k``."""
    return ElementWise(layer.activation, layer.slope.value[k : k + 1])


class Kept:
    """Units of a layer that stay, and the number of all."""

    def __init__(self, units: Tensor, of: int) -> None:
        self.units, self.of_units = units, of

    @classmethod
    def of(cls, dead: Tensor) -> "Kept":
        """The units that are not ``dead`` (U,), or the first one where all are."""
        alive = (~dead).nonzero()[:, 0]
        return cls(alive if len(alive) else dead.new_zeros(1, dtype=torch.int64), len(dead))

    def columns(self, inputs: int) -> Tensor:
        """The places of their outputs among the ``inputs`` of the next layer, which may hold them once for each position."""
        positions = torch.arange(inputs // self.of_units, device=self.units.device)
        return (positions[:, None] * self.of_units + self.units).flatten()
