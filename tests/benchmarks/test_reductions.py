"""The reductions are timed with the compiled loops and without them."""

import pytest

from benchmarks import reductions
from dying_relu.units.reductions import compiled


def test_every_shape_is_timed_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reductions, "STACKS", {"stack": (2, 32, 4)})
    monkeypatch.setattr(reductions, "LAYERS", {"layer": (8, 4)})
    found = reductions.run(rounds=2)
    assert list(found) == ["stack", "layer"]
    assert all(milliseconds > 0 and times > 0 for milliseconds, times in found.values())
    assert compiled() is not None
