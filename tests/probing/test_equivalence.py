"""Outputs that differ after a pruning are an error, and without batches to compare them on nothing is pruned."""

import pytest
import torch
from torch import nn

from dying_relu import probe, prune_dead
from dying_relu.errors import DyingReluError

pytestmark = pytest.mark.usefixtures("seeded")


def test_outputs_that_differ_are_an_error() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    with torch.no_grad():
        model[0].weight[1], model[0].bias[1] = 1.0, 0.0
    negative, positive = -torch.rand(8, 3), torch.rand(8, 3)
    report = probe(model, [negative])
    prune_dead(model, report)
    with pytest.raises(
        DyingReluError, match=r"differ on batch 1: found a difference of .*; expected at most"
    ):
        prune_dead(model, report, data=[positive])


def test_data_that_come_only_once_have_to_be_passed() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    batches = [torch.randn(4, 3)]
    report = probe(model, (batch for batch in batches))
    with pytest.raises(DyingReluError, match="only once: found generator; pass the same batches with data="):
        prune_dead(model, report)
    assert isinstance(prune_dead(model, report, data=batches), nn.Sequential)
    with pytest.raises(DyingReluError, match="no data to compare"):
        prune_dead(model, report, data=[])
