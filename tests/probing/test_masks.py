"""Only positions under the mask count, and a layer that the mask does not fit is named."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from written_models import Written

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("key", ["attention_mask", lambda batch: batch["x"][..., 0] != 0])
def test_only_positions_under_the_mask_count(flat: bool, key: Any) -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        h = torch.relu(m.first(x.flatten(0, 1) if flat else x))
        return torch.tanh(m.last(h.view(len(x), -1, 6).mean(1)))

    class Masked(Written):
        def forward(self, x: Tensor, attention_mask: Tensor) -> Tensor:
            return self.written(self, x)

    first = nn.Linear(4, 6)
    with torch.no_grad():
        first.weight.fill_(-1.0)
        first.bias[:] = torch.tensor([0.5] * 2 + [99.0] * 4)  # two units are active on padding alone
    x = torch.rand(8, 5, 4) + 1
    x[:, 3:] = 0
    batch = {"x": x, "attention_mask": (x[..., 0] != 0).long()}
    model = Masked(forward, first=first, last=nn.Linear(6, 2))
    assert probe(model, [batch]).units("relu")["dead"].sum() == 0
    report = probe(model, [batch, batch], mask=key)
    table = report.units("relu")
    assert table["dead"].tolist() == [True] * 2 + [False] * 4
    assert table["active_examples"].tolist() == [0] * 2 + [16] * 4
    assert report.layers["relu"].statistics.count == 48
    assert "mask does not fit" in report.remarks["tanh"]
    assert "tanh: the mask does not fit" in report.advice()
