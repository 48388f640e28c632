"""Scripted parts, gates and modules that are never called are listed, and no class is an activation because of its name."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from written_models import INPUTS, Written, counts, killed

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_parts_are_listed_and_the_rest_is_measured() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.ReLU()))
    model = nn.Sequential(killed(nn.Linear(4, 8), 3), nn.ReLU(), scripted, nn.Linear(8, 8), nn.ReLU())
    report = probe(model, [INPUTS])
    assert list(report.layers) == ["1", "4"]
    assert "scripted" in report.unseen["2"].reason
    assert any("rectified" in one.reason for one in report.unseen.values())


class Expert(nn.Module):
    """Its ReLU is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = killed(nn.Linear(4, 8), 2), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.relu(self.up(x)))


@pytest.mark.parametrize("skips", [True, False])
def test_an_expert_without_a_token_does_not_vanish(skips: bool) -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        chosen = torch.zeros(len(x), dtype=torch.long)
        return sum(
            expert(x[chosen == n]).sum()
            for n, expert in enumerate(m.experts)
            if not skips or (chosen == n).any()
        )

    report = probe(Written(forward, experts=nn.ModuleList(Expert() for _ in range(2))), [INPUTS])
    assert report.never_called == {"experts.1:relu": "relu"}
    assert report.summary().set_index("layer")["units"].to_dict() == {
        "experts.0:relu": 8,
        "experts.1:relu": 0,
    }


class ActivationNorm(nn.Module):
    """No activation, for all its name."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x / x.norm(dim=-1, keepdim=True)


class ActivationQuant(ActivationNorm):
    """Nor is this one."""


@pytest.mark.parametrize("kind", [ActivationNorm, ActivationQuant])
def test_a_class_is_no_activation_because_of_its_name(kind: type[nn.Module]) -> None:
    model = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.ReLU(), kind(), nn.Linear(6, 2))
    assert counts(model, [INPUTS, INPUTS]) == {"1": (2, 6)}
    assert model[2].calls == 2


def test_a_gate_that_is_one_function_is_listed() -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        return m.last(functional.relu(m.middle(functional.glu(m.first(x)))))

    model = Written(forward, first=nn.Linear(4, 12), middle=killed(nn.Linear(6, 6), 2), last=nn.Linear(6, 1))
    report = probe(model, [INPUTS])
    assert report.summary()["dead"].tolist()[0] == 2
    assert list(report.unseen) == ["glu"]
