"""The scan gives the same bits with any number of threads, and those of PyTorch's own reductions."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from dying_relu.probing.one_pass import WORTH_A_THREAD, none_seen, scan_on_cpu
from dying_relu.units.definitions import UnitStatistics


@pytest.fixture(autouse=True)
def _the_same_threads_afterwards() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def _scanned(z: Tensor, axis: int, threads: int) -> UnitStatistics:
    torch.set_num_threads(threads)
    seen = none_seen(z.shape[axis], z.dtype)
    scan_on_cpu(seen, z, axis, at_zero=0.0)
    scan_on_cpu(seen, z - 1, axis, at_zero=0.0)
    return seen


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
    seen = none_seen(1, torch.float32)
    scan_on_cpu(seen, torch.full(shape, 0.1), axis, at_zero=0.0)
    assert float(seen.activation_sum) == pytest.approx(200_000, rel=1e-5)
    assert float(seen.pre_activation_sum) == pytest.approx(200_000, rel=1e-5)
    assert float(seen.active_count) == 2_000_000
