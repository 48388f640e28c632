"""Products with weights: the operations that compute units from data, and that read units.

All linear and convolutional layers, ``@``, ``einsum`` and what else multiplies by weights are one of these few, below autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.probing.graph import Operation, Value
from dying_relu.probing.unit_labels import CannotFollow, first_along, labels_along

PRODUCTS = {"mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1, "mv": 0, "addmv": 1}
"""Name -> place of the left factor; a sum that is added stands before it."""
CONVOLUTIONS = (
    "convolution",
    "_convolution",
    "mkldnn_convolution",
    "cudnn_convolution",
    "conv1d",
    "conv2d",
    "conv3d",
)


@dataclass(frozen=True)
class Contraction:
    """A product of data with weights.

    Attributes:
        data: the factor that is no parameter.
        weight: the other.
        bias: what is added; None if nothing is.
        kind: "right" for ``data @ weight``, "left" for ``weight @ data``, "convolution".
        groups: of a convolution.
        transposed: whether a convolution is.
    """

    data: Value
    weight: Value
    bias: Value | None
    kind: str
    groups: int = 1
    transposed: bool = False

    def weights_of_outputs(self, columns: Tensor) -> Tensor:
        """The labels of the weights, of labels of outputs.

        Args:
            columns: as :func:`output_columns` makes them, or with other numbers in their places.

        Returns:
            Of the shape of the weights.
        """
        shape = self.weight.shape
        if self.kind != "convolution":
            return columns.expand(shape) if len(shape) > 1 else columns.reshape(shape)
        labels = columns.reshape(-1)
        if not self.transposed:
            return labels.view(-1, *[1] * (len(shape) - 1)).expand(shape)
        group = torch.arange(shape[0]) // (shape[0] // self.groups)
        outputs = group[:, None] * shape[1] + torch.arange(shape[1])
        return labels[outputs].view(*outputs.shape, *[1] * (len(shape) - 2)).expand(shape)

    def weights_of_inputs(self, labels: Tensor, name: str) -> Tensor:
        """The labels of the weights, of labels of the data.

        Args:
            labels: of the data.
            name: of the weights, for a message.

        Returns:
            Of the shape of the weights.

        Raises:
            CannotFollow: a weight would multiply several units.
        """
        shape = self.weight.shape
        if self.kind == "convolution":
            units = labels_along(labels, 1, name)
            if self.transposed:
                return units.view(-1, *[1] * (len(shape) - 1)).expand(shape)
            group = torch.arange(shape[0]) // (shape[0] // self.groups)
            inputs = group[:, None] * shape[1] + torch.arange(shape[1])
            return units[inputs].view(*inputs.shape, *[1] * (len(shape) - 2)).expand(shape)
        if labels.dim() == 1:  # a product with a vector
            return labels.expand(shape)
        # Along the axis that is summed over; the same for all rows, and for each matrix its own.
        axis = -2 if self.kind == "right" else -1
        first = first_along(labels, axis)
        if first is None:
            raise CannotFollow(f"{name} does not have an entry for each unit")
        return first.transpose(-1, -2).expand(shape)

    def output_columns(self, result: Value) -> tuple[Tensor, Tensor]:
        """Numbers, from 1, for the outputs that have weights of their own.

        Args:
            result: of the product.

        Returns:
            The numbers, in a shape that fits the weights, and spread over the result.
        """
        shape = list(result.shape)
        if self.kind == "convolution":
            kept = [1]
        elif len(shape) == 1:
            kept = [0]
        else:
            kept = [*range(len(shape) - 2), len(shape) - (1 if self.kind == "right" else 2)]
        sizes = [size if axis in kept else 1 for axis, size in enumerate(shape)]
        numbers = torch.arange(1, int(torch.tensor(sizes).prod()) + 1, dtype=torch.int32)
        numbers = numbers.view(sizes)
        fitting = numbers[:, None] if len(shape) == 1 else numbers
        return fitting, numbers.expand(result.shape)


def contraction(operation: Operation) -> Contraction | None:
    """The product with weights that an operation is; None if it is none.

    Args:
        operation: any.
    """
    name, arguments = operation.name, operation.arguments
    if name in CONVOLUTIONS and len(arguments) > 7:
        data, weight, bias = arguments[:3]
        if not isinstance(weight, Value) or weight.parameter is None:
            return None
        return Contraction(data, weight, bias, "convolution", int(arguments[8]), bool(arguments[6]))
    if name not in PRODUCTS:
        return None
    place = PRODUCTS[name]
    left, right = arguments[place : place + 2]
    bias = arguments[0] if place else None
    if right.parameter is not None and left.parameter is None:
        return Contraction(left, right, bias, "right")
    if left.parameter is not None and right.parameter is None:
        return Contraction(right, left, bias, "left")
    return None
