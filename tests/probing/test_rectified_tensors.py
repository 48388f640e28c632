"""A tensor that something unseen has rectified is listed; images that a layer reads are not."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from written_models import INPUTS, Written, killed

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")

UNSEEN: dict[str, Callable[[Tensor], Tensor]] = {
    "half of the sum": lambda z: (z + z.abs()) / 2,
    "square root of a square": lambda z: 0.5 * (z + z.square().sqrt()),
    "clamped at 1": lambda z: z.clamp(0, 1),
    "outside of PyTorch": lambda z: torch.from_numpy(z.detach().numpy().clip(0, None)),
}


@pytest.mark.parametrize("function", UNSEEN.values(), ids=UNSEEN)
def test_a_tensor_that_was_rectified_unseen_is_listed(function: Callable[[Tensor], Tensor]) -> None:
    model = Written(
        lambda m, x: m.last(function(m.first(torch.relu(m.zeroth(x))))),
        zeroth=nn.Linear(4, 6), first=killed(nn.Linear(6, 6), 2), last=nn.Linear(6, 1),
    )  # fmt: skip
    report = probe(model, [INPUTS])
    assert list(report.layers) == ["relu"]
    assert [one.kind for one in report.unseen.values()] == ["rectified"]
    assert "rectified by something that was not seen" in report.advice()


def test_images_that_a_layer_reads_are_not_rectified() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.ReLU())
    assert probe(model, [torch.rand(5, 3, 4).sub(0.5).clamp(min=0)]).unseen == {}
