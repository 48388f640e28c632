"""A mark for tensors that are activations, for models whose activations the probe cannot recognise."""

from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_unary


def mark_activation(tensor: Tensor, name: str) -> Tensor:
    """Name a tensor as an activation; put it into ``forward``, where it returns the tensor itself and does nothing else.

    The probe then counts the tensor's units as a layer ``path:name``, with the path of the module that marks it, by what they let through:
    a unit is dead if its entries are 0 on every example.

    Args:
        tensor: of any shape, with units on the axis of those of the layer that has computed it.
        name: of the layer.

    >>> import torch
    >>> codes = torch.ones(2, 3)
    >>> mark_activation(codes, "codes") is codes
    True
    """
    if has_torch_function_unary(tensor):
        marked: Tensor = handle_torch_function(mark_activation, (tensor,), tensor, name)
        return marked
    return tensor
