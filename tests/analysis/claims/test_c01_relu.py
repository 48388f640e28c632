"""C1: ReLU is the maximum of its input and zero."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from small_evidence import SmallEvidence, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.stack.activations import ACTIVATIONS


def test_relu_is_compared_with_the_maximum_on_numbers_of_every_size_and_both_signs() -> None:
    found = settled("C1")
    assert found[["verdict", "effect", "low", "high", "n"]].tolist() == [HOLDS, 0, 0, 0, 0]
    assert found["details"]["Values"] > 800_000
    effect = CLAIMS["C1"].finding(SmallEvidence()).effect
    assert effect is not None
    assert effect.n == found["details"]["Values"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda z, slope: z.relu() + (z > 3e38), 0),  # lost in rounding
        (lambda z, slope: torch.where((z > -1e-30) & (z < 0), z, z.relu()), 1e-30),
        (lambda z, slope: torch.where(z > 1e30, z * 0.5, z.relu()), 1.7e38),
        (lambda z, slope: torch.where(z == 0, 1e-3, z.relu()), 1e-3),
    ],
)
def test_a_relu_that_is_wrong_anywhere_refutes_c1(
    wrong: Callable, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "relu", dataclasses.replace(ACTIVATIONS["relu"], function=wrong))
    found = settled("C1")
    assert found["verdict"] == (DOES_NOT_HOLD if error else HOLDS)
    assert found["effect"] == found["low"] == found["high"] == pytest.approx(error, rel=0.02)
