"""The compiled loop and the tensor operations find the same, NaN included."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.units import reductions
from dying_relu.units.reductions import Reduced, reduce


def both_ways(z: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Fields reduced over rows (compiled) and over columns (tensor operations)."""
    tensors = z, z.tanh(), 1 - z.tanh() ** 2
    rows = reduce(*tensors, axis=-2)
    columns = reduce(*(tensor.mT.contiguous() for tensor in tensors), axis=-1)
    return list(zip(rows, columns, strict=True))


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 70), st.integers(1, 20)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 9),
)
def test_rows_and_columns_agree(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> None:
    z = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    for compiled, expected in both_ways(z):
        assert compiled.dtype == dtype
        torch.testing.assert_close(compiled, expected)


@pytest.mark.parametrize("row", [0, 17, 39])
def test_nan_stays_nan(row: int) -> None:
    z = torch.randn(1, 40, 3)
    z[0, row, 1] = torch.nan
    for field, (compiled, expected) in zip(Reduced._fields, both_ways(z), strict=True):
        if field != "active_count":
            assert compiled[0, 1].isnan()
            torch.testing.assert_close(compiled, expected, equal_nan=True)


def test_columns_far_from_each_other_in_memory_are_reduced_too() -> None:
    """As the pre-activations of a convolution are: a view with positions and channels in another order."""
    z = torch.randn(2, 5, 4, 6, 3).permute(0, 1, 4, 2, 3)
    rows = z.permute(0, 1, 3, 4, 2).flatten(1, 3)
    found = reduce(rows, rows.relu(), (rows > 0).float(), -2)
    assert torch.equal(found.pre_activation_max, z.amax((1, 3, 4)))
    assert torch.equal(found.active_count, (z > 0).sum((1, 3, 4)).float())


def test_without_numba_rows_are_reduced_by_tensor_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    z = torch.randn(2, 40, 3)
    compiled = reduce(z, z.tanh(), 1 - z.tanh() ** 2, axis=-2)
    monkeypatch.setattr(reductions, "compiled", lambda: None)
    for field, expected in zip(reduce(z, z.tanh(), 1 - z.tanh() ** 2, axis=-2), compiled, strict=True):
        torch.testing.assert_close(field, expected)
