"""Derivatives of activations in closed form, by the kernels that autograd uses, without its graph.

An activation that is not listed is differentiated by autograd.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dying_relu.probing.activations import argument

ATEN = torch.ops.aten
ELU_SCALES = {"alpha": 1.6732632423543772848170429916717, "scale": 1.0507009873554804934193349852946}
"""Of SELU. Source: Klambauer et al. (2017), with the digits of PyTorch."""

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Derivative = Callable[[Tensor, Tensor, Tensor, Arguments], Tensor]
"""(ones, z, activation, other arguments) -> derivative, all tensors of one shape."""


def _given(given: Arguments, position: int, name: str, default: Any) -> Any:
    value = argument(*given, position, name)
    return default if value is None else value


def _elu(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    return ATEN.elu_backward(ones, _given(given, 1, "alpha", 1.0), 1.0, 1.0, False, z)


def _celu(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    alpha = _given(given, 1, "alpha", 1.0)
    return ATEN.elu_backward(ones, alpha, 1.0, 1.0 / alpha, False, z)


def _selu(ones: Tensor, z: Tensor, *_: Any) -> Tensor:
    return ATEN.elu_backward(ones, ELU_SCALES["alpha"], ELU_SCALES["scale"], 1.0, False, z)


def _leaky(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    return ATEN.leaky_relu_backward(ones, z, _given(given, 1, "negative_slope", 0.01), False)


def _gelu(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    return ATEN.gelu_backward(ones, z, approximate=_given(given, 1, "approximate", "none"))


def _hardtanh(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    return ATEN.hardtanh_backward(
        ones, z, _given(given, 1, "min_val", -1.0), _given(given, 2, "max_val", 1.0)
    )


def _softplus(ones: Tensor, z: Tensor, _: Tensor, given: Arguments) -> Tensor:
    return ATEN.softplus_backward(ones, z, _given(given, 1, "beta", 1), _given(given, 2, "threshold", 20))


DERIVATIVES: dict[str, Derivative] = {
    "relu6": lambda ones, z, *_: ATEN.hardtanh_backward(ones, z, 0.0, 6.0),
    "hardtanh": _hardtanh,
    "leaky_relu": _leaky,
    "elu": _elu,
    "celu": _celu,
    "selu": _selu,
    "gelu": _gelu,
    "softplus": _softplus,
    "silu": lambda ones, z, *_: ATEN.silu_backward(ones, z),
    "mish": lambda ones, z, *_: ATEN.mish_backward(ones, z),
    "hardswish": lambda ones, z, *_: ATEN.hardswish_backward(ones, z),
    "hardsigmoid": lambda ones, z, *_: ATEN.hardsigmoid_backward(ones, z),
    "sigmoid": lambda ones, _, activation, __: ATEN.sigmoid_backward(ones, activation),
    "tanh": lambda ones, _, activation, __: ATEN.tanh_backward(ones, activation),
}
"""Kind -> its derivative."""


def activation_and_derivative(
    kind: str,
    z: Tensor,
    function: Callable[[Tensor], Tensor],
    given: Arguments,
    computed: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Compute an activation and its derivative.

    Args:
        kind: name of the activation.
        z: pre-activations of any shape, float32 or float64, detached; not changed.
        function: the activation; it may work in place.
        given: all arguments of the call, by position and by name.
        computed: what the model has computed of the same pre-activations; None if it has not yet, or has overwritten them.

    Returns:
        Both of the shape of ``z``.
    """
    derivative = DERIVATIVES.get(kind)
    if derivative is not None:
        with torch.no_grad():
            activation = function(z.clone()) if computed is None else computed.detach()
            return activation, derivative(torch.ones_like(z), z, activation, given)
    with torch.inference_mode(False), torch.enable_grad():
        leaf = z.clone().requires_grad_()
        # A clone, since the function may work in place.
        activation = function(leaf.clone())
        (slope,) = torch.autograd.grad(activation, leaf, torch.ones_like(activation))
    return activation.detach(), slope
