"""Derivatives of activations in closed form, by the kernels that autograd uses, without its graph.

An activation that is not listed is differentiated by autograd.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.probing.activations import argument
from dying_relu.probing.batches import preserved_random_state
from dying_relu.probing.states import preserved_state

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


def derivative_of_module(module: nn.Module, z: Tensor, output: Any) -> Tensor | None:
    """Differentiate a module that computes each number of its output from the number at the same place of its input.

    The derivative is what autograd gives, which a module may have replaced by that of another function.

    Args:
        module: called again for it; its state and the random numbers stay as they are.
        z: its input, of any shape.
        output: what it has made of it.

    Returns:
        Of the shape of ``z``; None if the module does something else, draws random numbers or cannot be called again.
    """
    if not isinstance(output, Tensor) or output.shape != z.shape or not z.is_floating_point():
        return None
    try:
        with preserved_state(module), preserved_random_state([]), torch.inference_mode(False):
            return _own_derivative(module, z.detach().clone(), output)
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError):
        return None


def _own_derivative(module: nn.Module, z: Tensor, output: Tensor) -> Tensor | None:
    every_other = (torch.arange(z.numel(), device=z.device) % 2 == 0).reshape(z.shape)
    with torch.no_grad():
        changed = module.forward(torch.where(every_other, z, z + 1))
    if not torch.equal(changed[every_other], output[every_other]):
        return None
    with torch.enable_grad():
        leaf = z.requires_grad_()
        again = module.forward(leaf.clone())
        if not torch.equal(again, output):
            return None
        if not again.requires_grad:
            return torch.zeros_like(z)
        return torch.autograd.grad(again, leaf, torch.ones_like(again))[0]
