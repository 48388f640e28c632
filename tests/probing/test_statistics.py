"""The statistics of ReLU: the same bits with any number of threads, and without numba the same but for rounding."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from dying_relu.probing.statistics import relu_statistics
from dying_relu.units import reductions
from dying_relu.units.reductions import WORTH_A_THREAD
from dying_relu.units.statistics import UnitStatistics


@pytest.fixture(autouse=True)
def _the_same_threads_afterwards() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def _scanned(z: Tensor, axis: int, threads: int) -> UnitStatistics:
    torch.set_num_threads(threads)
    return relu_statistics(z - 1, axis, before=relu_statistics(z, axis))


@pytest.mark.parametrize(
    "axis", [pytest.param(1, id="units in blocks"), pytest.param(-1, id="units side by side")]
)
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_the_bits_do_not_depend_on_the_number_of_threads(axis: int, threads: int) -> None:
    z = torch.randn((97, 7, 4 * WORTH_A_THREAD // 97 // 7 + 1) if axis == 1 else (4 * WORTH_A_THREAD // 7, 7))
    assert z.numel() // WORTH_A_THREAD >= 3
    alone, together = _scanned(z, axis, 1), _scanned(z, axis, threads)
    for name, value in vars(alone).items():
        torch.testing.assert_close(getattr(together, name), value, rtol=0, atol=0)
    others = tuple(other for other in range(z.dim()) if other != axis % z.dim())
    torch.testing.assert_close(together.pre_activation_max, z.amax(others), rtol=0, atol=0)
    torch.testing.assert_close(together.pre_activation_min, (z - 1).amin(others), rtol=0, atol=0)
    expected = (z > 0).double().sum(others) + (z - 1 > 0).double().sum(others)
    torch.testing.assert_close(together.active_count, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("shape", "axis"), [((2_000_000, 1), -1), ((2_000_000, 1, 1), 1)], ids=["side by side", "in blocks"]
)
def test_sums_of_a_large_batch_are_as_exact_as_those_of_many_small_ones(
    shape: tuple[int, ...], axis: int
) -> None:
    seen = relu_statistics(torch.full(shape, 0.1), axis)
    assert float(seen.activation_sum) == pytest.approx(200_000, rel=1e-5)
    assert float(seen.pre_activation_sum) == pytest.approx(200_000, rel=1e-5)
    assert float(seen.active_count) == 2_000_000


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("value", [0.5, torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_without_numba_the_statistics_are_the_same(
    axis: int, value: float, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    z = torch.randn(9, 5, 4, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    z[3, 2, 1, 2] = value
    z[:, 0], z[..., 0] = -1, -1
    assert reductions.compiled() is not None
    with_numba = relu_statistics(-z, axis, 1.0, relu_statistics(z, axis, 1.0))
    monkeypatch.setattr(reductions, "compiled", lambda: None)
    without = relu_statistics(-z, axis, 1.0, relu_statistics(z, axis, 1.0))
    assert without.count == with_numba.count
    for name, expected in vars(with_numba).items():
        if name != "count":
            torch.testing.assert_close(getattr(without, name), expected, rtol=1e-5, atol=1e-4, equal_nan=True)
