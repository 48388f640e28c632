"""Units are removed where they can be followed beyond doubt; elsewhere they stay, with a reason."""

from collections.abc import Callable

import pytest
import torch
from pruned_networks import difference, kill
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, prune_dead
from dying_relu.probing.equivalence import tolerance
from dying_relu.probing.prune import removable

pytestmark = pytest.mark.usefixtures("seeded")


class Residual(nn.Module):
    """A block around which its inputs go too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inside, self.back = nn.Conv1d(2, 4, 1), nn.Conv1d(4, 5, 1), nn.Conv1d(5, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return torch.relu(x + self.back(torch.relu(self.inside(x))))


def test_what_cannot_be_followed_stays_with_a_reason() -> None:
    model = Residual()
    nn.init.constant_(model.inside.bias, 5.0)  # none is dead by chance
    kill(model.first, [1])
    kill(model.inside, [0, 2])
    images = torch.randn(6, 2, 5)
    report = probe(model, [images])
    with pytest.warns(UserWarning, match=r"dead units stay in . layers: relu: its output goes to add"):
        pruned = prune_dead(model, report)
    assert pruned.first.out_channels == 4
    assert pruned.inside.out_channels == 3
    assert removable(model, report)["reason"].tolist() == [
        "its output goes to add",
        "",
        "its pre-activations come from add, not from a plain layer",
    ]


class Written(nn.Module):
    """One layer of units, and what ``forward`` does with them."""

    def __init__(self, forward: Callable[["Written", Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.norm, self.relu = nn.BatchNorm1d(4), nn.ReLU()
        self.written = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.written(self, x)


def computed(by: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return nn.Sequential(by(nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 2))


def tied() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    return model


NOT_FOLLOWED = {
    "a normalisation, which makes a constant of 0": (
        Written(lambda m, x: m.c(m.norm(m.relu(m.a(x))))),
        "its output goes to norm",
    ),
    "a sum": (Written(lambda m, x: m.c(m.relu(m.a(x)) + x)), "its output goes to add"),
    "two readers, one unknown": (
        Written(lambda m, x: (lambda h: m.c(h) + h.sum())(m.relu(m.a(x)))),
        "its output goes to sum",
    ),
    "the output": (Written(lambda m, x: m.relu(m.a(x))), "its output goes to the output of the model"),
    "nothing": (Written(lambda m, x: (m.relu(m.a(x)), m.c(x))[1]), "nothing reads it"),
    "a shared layer": (
        Written(lambda m, x: m.c(m.b(m.b(m.relu(m.a(x)))))),
        "b is used in more than one place",
    ),
    "a weight used as a function's": (
        Written(lambda m, x: m.c(m.relu(m.a(x))) + functional.linear(x, m.c.weight)),
        "c is used in more than one place",
    ),
    "tied weights": (tied(), "0 is used in more than one place"),
    "a pre-activation used elsewhere": (
        Written(lambda m, x: (lambda z: m.c(m.relu(z)) + z.mean())(m.a(x))),
        "its pre-activations are used elsewhere too (mean)",
    ),
    "computed weights": (
        computed(nn.utils.spectral_norm),
        "its pre-activations come from a product of computed tensors",
    ),
    "parametrized weights": (
        computed(nn.utils.parametrizations.weight_norm),
        "its pre-activations come from a product of computed tensors",
    ),
    "a grouped convolution": (
        nn.Sequential(nn.Unflatten(1, (4, 1)), nn.Conv1d(4, 4, 1), nn.ReLU(), nn.Conv1d(4, 4, 1, groups=2)),
        "3 is a grouped convolution",
    ),
    "a slope for every unit": (
        nn.Sequential(nn.Linear(4, 4), nn.PReLU(4), nn.Linear(4, 2)),
        "it has parameters for every unit",
    ),
    "a normalisation over units": (
        nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU(), nn.Linear(4, 2)),
        "its pre-activations come from 1, not from a plain layer",
    ),
    "pooling over units": (
        nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.MaxPool1d(2), nn.Linear(2, 2)),
        "its output goes to max_pool2d_with_indices",
    ),
}


@pytest.mark.parametrize(("model", "reason"), NOT_FOLLOWED.values(), ids=NOT_FOLLOWED)
def test_units_that_cannot_be_followed_beyond_doubt_stay(model: nn.Module, reason: str) -> None:
    inputs = torch.randn(8, 4)
    report = probe(model, [inputs])
    row = removable(model, report).iloc[0]
    assert row["reason"].startswith(reason)
    assert row["removed"] == 0


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.c(torch.flatten(m.relu(m.a(x)), 1)),
        lambda m, x: (lambda h: m.c(h.reshape(h.shape[0], -1)))(m.relu(m.a(x))),
        lambda m, x: (lambda h: m.c(h.view(x.size(0), -1)))(m.relu(m.a(x))),
        lambda m, x: m.c(m.relu(m.norm(m.a(x)))),
        lambda m, x: (lambda h: m.c(h) + m.b(h)[:, :2])(m.relu(m.a(x)).contiguous()),
    ],
)
def test_units_are_followed(forward: Callable[[Written, Tensor], Tensor]) -> None:
    model = Written(forward)
    with torch.no_grad():
        model.a.bias.fill_(9.0)
        model.a.weight[1] = 0
        model.a.bias[1] = -1.0
    inputs = torch.randn(8, 4)
    pruned = prune_dead(model, probe(model, [inputs]))
    assert (pruned.a.out_features, pruned.c.in_features) == (3, 3)
    assert difference(model, pruned, inputs) <= tolerance(torch.float32)


@pytest.mark.parametrize("shape", [lambda x: x.shape, lambda x: x.size()], ids=["shape", "size"])
def test_a_view_by_the_sizes_of_a_shape_is_followed(shape: Callable[[Tensor], torch.Size]) -> None:
    class Unpacks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.relu(self.conv(x))
            examples, _channels, _height, _width = shape(x)
            return self.fc(x.view(examples, -1))

    model, images = Unpacks(), torch.randn(5, 1, 4, 4)
    nn.init.constant_(model.conv.bias, 5.0)
    kill(model.conv, [2])
    assert prune_dead(model, probe(model, [images])).fc.in_features == 12


def test_a_mean_over_positions_and_a_flattening_of_them_are_followed() -> None:
    class Averages(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc, self.fc2 = nn.Conv2d(1, 4, 3), nn.Linear(4, 2), nn.Linear(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.relu(self.conv(x))
            return self.fc(x.mean((-2, -1))) + self.fc2(x.flatten(2).flatten(1))

    model = Averages()
    kill(model.conv, [2])
    images = torch.randn(5, 1, 4, 4)
    pruned = prune_dead(model, probe(model, [images]))
    assert (pruned.fc.in_features, pruned.fc2.in_features) == (3, 12)
    assert difference(model, pruned, images) <= tolerance(torch.float32)
