"""Units on several axes: members of an ensemble and experts in one tensor are units of their own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from written_models import INPUTS, Written, counts

from dying_relu import probe
from dying_relu.errors import DyingReluError

pytestmark = pytest.mark.usefixtures("seeded")


class Members(nn.Module):
    """Five members of four units in one tensor, seven units dead."""

    def __init__(self, z: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(torch.randn(5, 4, 3) * 0.1),
            nn.Parameter(torch.full((5, 1, 3), 5.0)),
        )
        with torch.no_grad():
            self.bias[:4, 0, 0] = self.bias[:3, 0, 1] = -99.0
        self.z = z

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.z(x, self.weight, self.bias))


ENSEMBLES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "baddbmm": lambda x, w, b: torch.baddbmm(b, x.expand(5, *x.shape), w),
    "bmm": lambda x, w, b: torch.bmm(x.expand(5, *x.shape), w) + b,
    "matmul": lambda x, w, b: x @ w + b,
    "einsum": lambda x, w, b: torch.einsum("bi,eio->ebo", x, w) + b,
    "einsum, batch first": lambda x, w, b: torch.einsum("bi,eio->beo", x, w) + b.transpose(0, 1),
    "einsum with an ellipsis": lambda x, w, b: torch.einsum("...i,eio->...eo", x, w) + b[:, 0],
    "transposed": lambda x, w, b: (torch.einsum("bi,eio->ebo", x, w) + b).transpose(0, 1),
    "flattened": lambda x, w, b: (x @ w + b).transpose(0, 1).reshape(len(x), -1),
}


@pytest.mark.parametrize("z", ENSEMBLES.values(), ids=ENSEMBLES)
def test_members_of_an_ensemble_are_units_of_their_own(z: Callable) -> None:
    assert counts(Members(z), [INPUTS, INPUTS[:7]]) == {"relu": (7, 15)}


def test_members_that_a_vmap_has_made_are_not_merged() -> None:
    model = Members(lambda x, w, b: torch.vmap(lambda w, b: functional.linear(x, w.T, b[0]))(w, b))
    with pytest.raises(DyingReluError, match=r"vmap over weights.*unit_axis="):
        probe(model, [INPUTS])
    assert counts(model, [INPUTS, INPUTS[:7]], unit_axis=(0, 2)) == {"relu": (7, 15)}


def test_a_vmap_around_the_activation_too() -> None:
    inside = Members(lambda x, w, b: torch.vmap(lambda w, b: torch.relu(x @ w + b))(w, b))
    assert (7, 15) in counts(inside, [INPUTS]).values()
    over_examples = Written(
        lambda m, x: torch.vmap(lambda one: torch.tanh(m.first(one)))(x), first=nn.Linear(4, 6)
    )
    assert counts(over_examples, [INPUTS, INPUTS[:3]]) == {"tanh": (0, 6)}


def test_experts_in_one_tensor() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.Parameter(torch.randn(3, 4, 8))

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.reshape(1, 16, 4).expand(3, 16, 4)
            return functional.gelu(torch.einsum("ecd,edh->ech", tokens, self.up))

    assert counts(Experts(), [INPUTS])["gelu"][1] == 24


def test_units_on_several_axes_can_be_named() -> None:
    model = Written(lambda m, x: torch.relu(x))
    assert counts(model, [torch.randn(7, 5, 3)], unit_axis=(1, 2)) == {"relu": (0, 15)}
    assert counts(model, [torch.randn(7, 5, 3)], unit_axis={"relu": (-1, 1)}) == {"relu": (0, 15)}
