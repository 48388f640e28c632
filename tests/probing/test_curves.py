"""Statistics of activations whose curve is known are those that all their numbers give."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dying_relu.probing.curves import curve_of, curve_statistics
from dying_relu.probing.derivatives import activation_and_derivative
from dying_relu.probing.statistics import ActiveExamples, elementwise_statistics
from dying_relu.units import reductions

pytestmark = pytest.mark.skipif(not reductions.compiled(), reason="numba is not installed")

CALLS: dict[str, tuple[Callable[..., Tensor], dict[str, object]]] = {
    "gelu": (functional.gelu, {}),
    "gelu by tanh": (functional.gelu, {"approximate": "tanh"}),
    "silu": (functional.silu, {}),
    "mish": (functional.mish, {}),
    "hardswish": (functional.hardswish, {}),
    "selu": (functional.selu, {}),
    "elu": (functional.elu, {}),
    "elu of 2": (functional.elu, {"alpha": 2.0}),
    "elu of a half": (functional.elu, {"alpha": 0.5}),
    "celu of 2": (functional.celu, {"alpha": 2.0}),
    "softplus": (functional.softplus, {}),
    "sigmoid": (torch.sigmoid, {}),
    "tanh": (torch.tanh, {}),
    "softsign": (functional.softsign, {}),
    "hardsigmoid": (functional.hardsigmoid, {}),
    "logsigmoid": (functional.logsigmoid, {}),
    "relu6": (functional.relu6, {}),
    "hardtanh": (functional.hardtanh, {"min_val": -2.0, "max_val": 0.5}),
    "leaky_relu": (functional.leaky_relu, {"negative_slope": 0.3}),
    "clamp": (torch.clamp, {"min": 0, "max": 4.0}),
}
SHAPES = {
    "rows": (64, 40),
    "few positions": (8, 40, 3, 2),
    "many positions": (6, 40, 20, 11),
    "time first": (7, 5, 40),
}


def units(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, int]:
    """Pre-activations of units at many places of a curve: far left, at bounds and peaks, far right."""
    axis = 1 if len(shape) != 3 else 2
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(shape, generator=generator, dtype=dtype)
    places = torch.linspace(-14, 14, shape[axis], dtype=dtype)
    spread = torch.tensor([0.01, 0.5, 3.0, 0.2], dtype=dtype).repeat(shape[axis] // 4)
    rest = (1,) * (len(shape) - axis - 1)
    z = z * spread.view(-1, *rest) + places.view(-1, *rest)
    z.select(axis, 3).zero_()
    z.select(axis, 7).fill_(6.0)
    z.select(axis, 9).fill_(-2.0)
    return z, axis


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("call", CALLS)
def test_the_curve_gives_what_all_numbers_give(call: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    function, options = CALLS[call]
    kind = call.partition(" ")[0]
    z, axis = units(shape, dtype)
    number, others = z.shape[axis], z.numel() // z.shape[axis]
    curve = curve_of(kind, ((z,), options), z)
    assert curve is not None
    curved, listed = None, None
    examples = [ActiveExamples.of(z.shape, number, axis) for _ in range(2)]
    for batch in (z, z * 0.9):

        def at(points: Tensor, batch: Tensor = batch) -> tuple[Tensor, Tensor]:
            return activation_and_derivative(
                kind, points, lambda one: function(one, **options), ((batch,), options)
            )

        activation, derivative = at(batch)
        curved = curve_statistics(
            batch, axis, curve, activation, lambda points: at(points)[1], curved, examples[0]
        )
        listed = elementwise_statistics(batch, activation, derivative, axis, listed, examples[1])
    assert curved is not None
    assert listed is not None
    assert examples[0].hit.equal(examples[1].hit)
    assert curved.count == listed.count == 2 * others
    for name in (
        "pre_activation_min",
        "pre_activation_max",
        "activation_max",
        "derivative_max",
        "activation_sum",
        "active_count",
        "pre_activation_sum",
    ):
        one, other = getattr(curved, name).double(), getattr(listed, name).double()
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * others if "sum" in name else 1e-6)
    assert (curved.derivative_max == 0).equal(listed.derivative_max == 0)


def test_a_number_that_is_none_stays() -> None:
    z = torch.randn(32, 4)
    z[3, 1] = torch.nan
    curve = curve_of("silu", ((z,), {}), z)
    assert curve is not None
    seen = curve_statistics(
        z,
        1,
        curve,
        functional.silu(z),
        lambda points: torch.ops.aten.silu_backward(points, points),
        None,
        None,
    )
    for field in (seen.pre_activation_min, seen.pre_activation_max, seen.activation_max, seen.derivative_max):
        assert field.isnan().tolist() == [False, True, False, False]


def test_an_activation_of_another_shape_has_no_curve() -> None:
    z = torch.zeros(2, 3)
    assert curve_of("prelu", ((z, torch.ones(3)), {}), z) is None
    assert curve_of("elu", ((z,), {"alpha": -1.0}), z) is None
    assert curve_of("silu", ((z,), {}), z.to("meta")) is None
