"""An activation without an axis of units is one unit, or is listed with the reason, and ends no probe."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from written_models import INPUTS, Written, killed

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")

NO_AXIS: dict[str, Callable[[Written, Tensor], Tensor]] = {
    "squeezed": lambda m, h: torch.sigmoid(m.one(h).squeeze(1)),
    "squeezed without an axis": lambda m, h: torch.sigmoid(m.one(h).squeeze()),
    "first column": lambda m, h: torch.sigmoid(m.one(h)[:, 0]),
    "one of several columns": lambda m, h: torch.sigmoid(m.two(h)[..., 1]),
    "flat": lambda m, h: torch.sigmoid(m.one(h).view(-1)),
    "flattened": lambda m, h: torch.sigmoid(m.one(h).flatten()),
    "unbound": lambda m, h: torch.sigmoid(m.two(h).unbind(1)[0]),
    "averaged": lambda m, h: torch.sigmoid(h.mean(-1)),
    "added up": lambda m, h: torch.sigmoid(h.sum(1)),
    "largest": lambda m, h: torch.sigmoid(h.amax(1)),
    "a dot product": lambda m, h: torch.sigmoid((m.six(h) * h).sum(-1)),
    "between examples": lambda m, h: functional.leaky_relu(m.one(h) + m.one(h).T),
    "scores of pairs": lambda m, h: torch.sigmoid(m.six(h) @ m.six(h).T),
}


@pytest.mark.parametrize("gate", NO_AXIS.values(), ids=NO_AXIS)
@pytest.mark.parametrize("sizes", [(16, 16), (16, 9), (9, 16)])
def test_an_activation_without_an_axis_of_units_does_not_end_the_probe(
    gate: Callable, sizes: tuple[int, int]
) -> None:
    model = Written(
        lambda m, x: gate(m, torch.relu(m.first(x))),
        first=killed(nn.Linear(4, 6), 2), one=nn.Linear(6, 1), two=nn.Linear(6, 2), six=nn.Linear(6, 6),
    )  # fmt: skip
    report = probe(model, [INPUTS[:size] for size in sizes])
    units = report.summary().set_index("layer")["units"].to_dict()
    assert units.pop("relu") == 6
    assert report.units("relu")["dead"].sum() == 2
    ((name, number),) = units.items()
    assert number == 1 or (number == 0 and report.unseen[name].reason)


def test_a_gate_over_time_and_anchors_are_listed() -> None:
    conv = nn.Conv2d(3, 6, 3, padding=1)

    def forward(m: Written, x: Tensor) -> Tensor:
        h = torch.relu(m.conv(x))
        anchors = h.view(len(x), 2, 3, *h.shape[2:]).permute(0, 3, 4, 1, 2).reshape(len(x), -1, 3)
        return torch.sigmoid(anchors.flatten(0, 1)).sum() + torch.tanh(h.mean(1)).sum()

    report = probe(Written(forward, conv=conv), [torch.randn(2, 3, 8, size) for size in (8, 6)])
    assert list(report.layers) == ["relu"]
    assert set(report.unseen) == {"sigmoid", "tanh"}
