"""Compiled passes over vectors before and after an activation are PyTorch's operators."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.stack import deltas
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.gelu import gelu_with_derivative

SLOPES = torch.tensor([0.0, 0.01, -0.5, 1.0])
EXTREMES = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1e-30, -1e-30])


def vectors(batch: int, seed: int) -> torch.Tensor:
    """Numbers (4, 3, batch), among them those at which rules have exceptions."""
    drawn = torch.randn(4, 3, batch, generator=torch.Generator().manual_seed(seed))
    drawn.view(4, -1)[:, : len(EXTREMES)] = EXTREMES[: drawn[0].numel()]
    return drawn


@given(
    batch=st.integers(3, 70), seed=st.integers(0, 100), dtype=st.sampled_from([torch.float32, torch.float64])
)
def test_rectifiers_equal_the_operators(batch: int, seed: int, dtype: torch.dtype) -> None:
    z = vectors(batch, seed).to(dtype)
    delta = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed + 1)).to(dtype)
    expected = torch.stack(
        [
            torch.where(row <= 0, float(s) * row if s else torch.zeros_like(row), row)
            for row, s in zip(z, SLOPES, strict=True)
        ]
    )
    torch.testing.assert_close(deltas.rectified(z, SLOPES), expected, equal_nan=True)
    slope = SLOPES[:, None, None].to(dtype)
    expected = ACTIVATIONS["leaky_relu"].gradient(delta, z, slope)
    total = deltas.gate(delta, z, SLOPES)
    torch.testing.assert_close(delta, expected)
    torch.testing.assert_close(total, expected.sum(-1), atol=1e-5, rtol=1e-5)


def test_a_known_derivative_multiplies_and_is_summed() -> None:
    delta, derivative = (torch.randn(2, 3, 33, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    expected = delta * derivative
    total = deltas.multiply(delta, derivative)
    assert torch.equal(delta, expected)
    torch.testing.assert_close(total, expected.sum(-1), atol=1e-5, rtol=1e-5)


def test_gelu_and_its_derivative_are_as_exact_as_float32() -> None:
    z = torch.linspace(-20, 20, 10_001)
    exact, of_one = z.double(), torch.ones(len(z), dtype=torch.float64)
    value, derivative = gelu_with_derivative(z)
    gelu = ACTIVATIONS["gelu"]
    torch.testing.assert_close(value.double(), gelu.function(exact, 0.0), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(derivative.double(), gelu.gradient(of_one, exact, 0.0), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("x", [float("nan"), float("inf")])
def test_gelu_of_an_overflow_is_not_finite(x: float) -> None:
    assert not gelu_with_derivative(torch.tensor([x]))[0].isfinite().any()


def test_other_layouts_are_left_to_the_operators() -> None:
    assert deltas.is_compiled(torch.zeros(2, 3, 4))
    assert not deltas.is_compiled(torch.zeros(2, 4, 3).mT)
    assert not deltas.is_compiled(torch.zeros(2, 3, 4, 5, 5))
