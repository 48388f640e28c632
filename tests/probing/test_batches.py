"""Loaders are gone through to their end or as far as the caller wants, and progress says how far."""

import itertools
import warnings

import pytest
from torch import nn
from written_models import INPUTS

from dying_relu import probe
from dying_relu.errors import DyingReluError

pytestmark = pytest.mark.usefixtures("seeded")


def test_an_endless_loader_is_cut_off() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
    endless = itertools.repeat(INPUTS)
    assert probe(model, endless, batches=3).layers["1"].statistics.examples == 48
    with pytest.warns(UserWarning, match="more than 1,000.*batches="):
        probe(model, itertools.repeat(INPUTS[:1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe(model, (INPUTS for _ in range(3)))
    with pytest.raises(DyingReluError, match="batches: found 0"):
        probe(model, endless, batches=0)


def test_progress_says_how_many_were_seen(capsys: pytest.CaptureFixture[str]) -> None:
    model, numbers = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), list[int]()
    probe(model, [INPUTS] * 3, progress=numbers.append)
    assert numbers == [1, 2, 3]
    probe(model, [INPUTS] * 3, progress=True)
    assert "3 batches" in capsys.readouterr().err
