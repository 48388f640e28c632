"""Max-pooling gives PyTorch's numbers to the last bit: values, gradients, ties, NaN, odd sizes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.images import by_network
from dying_relu.stack.layers import ElementWise
from dying_relu.stack.optimisers import SGD
from dying_relu.stack.pooling import MaxPooling


def images(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """(K, B, C, H, W) in a stack's memory layout; few distinct values, so that many are equal."""
    networks, batch, channels, height, width = shape
    stream = torch.Generator().manual_seed(seed)
    drawn = torch.randint(-2, 3, (networks, batch, height, width, channels), generator=stream)
    return drawn.to(dtype).permute(0, 1, 4, 2, 3)


def pooled_by_pytorch(x: torch.Tensor, delta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    flat = x.flatten(0, 1).contiguous().requires_grad_()
    pooled = functional.max_pool2d(flat, 2)
    pooled.backward(delta.flatten(0, 1))
    assert flat.grad is not None
    return pooled.detach().view_as(delta), flat.grad.view_as(x)


@given(
    shape=st.tuples(*[st.integers(1, 3)] * 2, st.integers(1, 17), *[st.integers(2, 7)] * 2),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 9),
    is_last=st.booleans(),
)
def test_equals_pytorch(shape: tuple[int, ...], dtype: torch.dtype, seed: int, is_last: bool) -> None:
    x = images(*shape, seed=seed, dtype=dtype)
    layer = MaxPooling()
    layer.is_last = is_last
    pooled = layer.forward(x)
    delta = torch.randn(pooled.shape, dtype=dtype)
    if is_last:
        delta = delta.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    expected, expected_delta = pooled_by_pytorch(x, delta)
    assert torch.equal(pooled, expected)
    assert torch.equal(layer.backward(delta, SGD(torch.ones(1))), expected_delta)
    total = expected_delta.sum((1, 3, 4)).flatten()
    torch.testing.assert_close(layer.total, total, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("place", range(4))
def test_a_network_that_overflowed_is_seen_to(place: int) -> None:
    x = torch.zeros(1, 1, 1, 2, 2)
    x.view(4)[place] = torch.nan
    assert MaxPooling().forward(x).isnan().all()


@given(is_last=st.booleans(), slope=st.sampled_from([0.0, 0.25]), seed=st.integers(0, 9))
def test_brain_floats_are_pooled_like_the_float32_they_stand_for(
    is_last: bool, slope: float, seed: int
) -> None:
    stream = torch.Generator().manual_seed(seed)
    drawn, back = (
        by_network(torch.randn(2, size, size, 3 * 5, generator=stream).bfloat16(), 3) for size in (6, 3)
    )
    narrow, wide = (
        MaxPooling(ElementWise(ACTIVATIONS["leaky_relu"], torch.full((3,), slope))) for _ in range(2)
    )
    narrow.is_last = wide.is_last = is_last
    pooled, expected = narrow.forward(drawn), wide.forward(drawn.float())
    assert pooled.dtype == (torch.float32 if is_last else torch.bfloat16)
    assert torch.equal(pooled, expected.to(pooled.dtype))
    delta, expected_delta = (
        layer.backward(x, SGD(torch.ones(1))) for layer, x in ((narrow, back), (wide, back.float()))
    )
    assert delta.dtype == torch.bfloat16
    assert torch.equal(delta, expected_delta.bfloat16())
    assert torch.equal(narrow.total, wide.total)


def test_a_brain_float_that_is_not_a_number_stays_so() -> None:
    x = torch.full((1, 1, 1, 2, 2), torch.nan, dtype=torch.bfloat16)
    assert MaxPooling(ElementWise(ACTIVATIONS["relu"], torch.zeros(1))).forward(x).isnan().all()
