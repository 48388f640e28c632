"""The extent of inputs is that of float64, by the compiled loop and without it."""

import numpy as np
import pytest
import torch

from dying_relu.units import extents
from dying_relu.units.block_sizes import NUMBERS_SIDE_BY_SIDE, SUMMED_NARROW

WHOLE = NUMBERS_SIDE_BY_SIDE * SUMMED_NARROW
SIZES = [
    1,
    127,
    NUMBERS_SIDE_BY_SIDE,
    5 * NUMBERS_SIDE_BY_SIDE + 3,
    WHOLE,
    WHOLE + 7 * NUMBERS_SIDE_BY_SIDE + 1,
]


@pytest.fixture(params=[True, False], ids=["compiled", "operators"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(extents, "compiled", lambda: False)


def numbers(size: int, dtype: torch.dtype) -> torch.Tensor:
    return (3 * torch.randn(size, generator=torch.Generator().manual_seed(size)) - 1).to(dtype)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_that_of_float64(size: int, dtype: torch.dtype) -> None:
    x = numbers(size, dtype)
    exact = x.double().numpy()
    found = extents.extent(x)
    assert (found.low, found.high) == (exact.min(), exact.max())
    assert found.total == pytest.approx(exact.sum(), abs=1e-6 * np.abs(exact).sum())
    assert found.square_sum == pytest.approx((exact**2).sum(), rel=1e-5)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("size", SIZES)
def test_the_sum_is_not_finite_if_a_number_is_not(size: int, value: float) -> None:
    for place in {0, size // 2, size - 1}:
        x = numbers(size, torch.float32)
        x[place] = value
        assert not np.isfinite(extents.extent(x).total)


def test_a_view_is_read_as_it_is() -> None:
    x = numbers(600, torch.float32).view(20, 30)
    for view in (x.T, x[:, 3:9], x[::2]):
        exact = view.double()
        assert extents.extent(view)[2:] == (exact.min(), exact.max())
        assert extents.extent(view).total == pytest.approx(float(exact.sum()), abs=1e-3)
