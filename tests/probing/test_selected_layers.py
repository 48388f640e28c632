"""Layers can be chosen and left out, by names or patterns."""

import pytest
from torch import nn
from written_models import INPUTS, counts, killed

from dying_relu import probe
from dying_relu.errors import DyingReluError

pytestmark = pytest.mark.usefixtures("seeded")


def test_layers_can_be_chosen_and_left_out() -> None:
    model = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.ReLU(), nn.Linear(6, 1), nn.Sigmoid())
    assert list(counts(model, [INPUTS], ignore="3")) == ["1"]
    assert list(counts(model, [INPUTS], layers=["[0-2]"])) == ["1"]
    assert probe(model, [INPUTS], ignore=["3"]).dead_fraction == 2 / 6
    with pytest.raises(DyingReluError, match="names a layer that is not there: found 'typo'"):
        probe(model, [INPUTS], ignore="typo")
