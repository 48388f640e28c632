"""Revived units start anew, the model computes what it did, and the optimizer has forgotten them, and only them."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, revive
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.errors import DyingReluError

NEVER = -1e4


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same models and data in every run, whichever tests came before."""
    torch.manual_seed(0)


def cnn() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(6 * 9, 8), nn.ReLU(), nn.Linear(8, 3)),
    )


def mlp(dead: tuple[list[int], list[int]] = ([0, 3], [2])) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    with torch.no_grad():
        for layer, units in zip((model[0], model[2]), dead, strict=True):
            layer.bias.fill_(9.0)
            layer.bias[units] = NEVER
    return model


def outputs(model: nn.Module, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        return model.eval()(inputs)


@given(dead=st.tuples(*[st.lists(st.integers(0, 4), unique=True)] * 2), seed=st.integers(0, 999))
@settings(max_examples=30)
def test_what_the_model_computes_stays_the_same_to_the_bit(
    dead: tuple[list[int], list[int]], seed: int
) -> None:
    torch.manual_seed(seed)
    model, inputs = mlp(dead), torch.randn(32, 4)
    before = outputs(model, inputs)
    report = probe(model, [inputs])
    table = revive(model, report)
    assert table["revived"].tolist() == report.summary()["dead"].tolist()
    assert (table["revived"] >= [len(units) for units in dead]).all()
    assert outputs(model, inputs).equal(before)


def test_revived_units_live_and_learn_and_the_others_are_untouched() -> None:
    model, inputs = mlp(), torch.randn(64, 4)
    old = copy.deepcopy(model)
    revive(model, probe(model, [inputs]))
    assert probe(model, [inputs]).summary()["dead"][0] == 0
    first, second, last = model[0], model[2], model[4]
    assert first.bias[[0, 3]].tolist() == [0, 0]
    # PyTorch's own bound for a Linear of four inputs.
    assert first.weight[[0, 3]].abs().max() <= 4**-0.5
    alive = [1, 2, 4, 5]
    assert first.weight[alive].equal(old[0].weight[alive])
    assert first.bias[alive].equal(old[0].bias[alive])
    assert (second.weight[[0, 1, 3, 4]][:, [0, 3]] == 0).all()
    # A revived unit reads revived ones: two dead layers in a row would never come back otherwise.
    assert (second.weight[2] != 0).all()
    assert (last.weight[:, 2] == 0).all()
    assert last.bias.equal(old[4].bias)
    model.train()(inputs).sum().backward()
    # What reads them has a gradient, by which they find their use.
    assert (second.weight.grad[[0, 1, 3, 4]][:, [0, 3]] != 0).all()


def test_a_normalisation_between_starts_anew_for_the_revived_only() -> None:
    model, images = cnn(), torch.randn(16, 1, 8, 8) + 1
    for _ in range(3):
        model(images)
    with torch.no_grad():
        model[1].weight.fill_(2.0)
        model[1].bias[4] = NEVER
        model[5].bias.fill_(5.0)
    before, mean = outputs(model, images), model[1].running_mean.clone()
    table = revive(model, probe(model, [images]))
    assert table["revived"].tolist() == [1, 0]
    assert model[1].weight.tolist() == [2, 2, 2, 2, 1, 2]
    assert model[1].bias[4] == 0
    assert model[1].running_mean[4] == 0
    assert model[1].running_var[4] == 1
    others = [0, 1, 2, 3, 5]
    assert model[1].running_mean[others].equal(mean[others])
    # Channel 4 is read at its nine positions, which lie side by side.
    read = (model[5].weight == 0).all(0)
    assert read.nonzero()[:, 0].tolist() == list(range(36, 45))
    assert outputs(model, images).equal(before)


@pytest.mark.parametrize(
    ("make", "moments"),
    [
        (lambda p: torch.optim.Adam(p, amsgrad=True), ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
        (lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), ["momentum_buffer"]),
        (lambda p: torch.optim.RMSprop(p, centered=True), ["square_avg", "grad_avg"]),
        (torch.optim.Rprop, ["prev"]),
    ],
)
def test_the_optimizer_forgets_the_new_weights_and_no_other(make: object, moments: list[str]) -> None:
    model, inputs = mlp(([], [])), torch.randn(64, 4)
    optimizer = make(model.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), torch.arange(64) % 2).backward()
        optimizer.step()
    with torch.no_grad():
        model[0].bias[[0, 3]] = NEVER
    old = copy.deepcopy(optimizer.state_dict()["state"])
    revive(model, probe(model, [inputs]), optimizer)
    assert all(old[0][name].any() for name in moments)
    new = {name: torch.zeros_like(value, dtype=torch.bool) for name, value in model.named_parameters()}
    new["0.weight"][[0, 3]] = new["0.bias"][[0, 3]] = new["2.weight"][:, [0, 3]] = True
    state = optimizer.state_dict()["state"]
    for place, mask in enumerate(new.values()):
        for name in moments:
            assert (state[place][name][mask] == 0).all()
            assert state[place][name][~mask].equal(old[place][name][~mask])
        for name in set(old[place]) - set(moments):
            assert torch.as_tensor(state[place][name]).equal(torch.as_tensor(old[place][name]))


def test_a_generator_makes_it_repeatable_and_leaves_the_global_one_alone() -> None:
    model, inputs = mlp(), torch.randn(16, 4)
    twins = copy.deepcopy(model), copy.deepcopy(model)
    state = torch.get_rng_state()
    for twin in twins:
        revive(twin, probe(twin, [inputs]), generator=torch.Generator().manual_seed(5))
    assert torch.get_rng_state().equal(state)
    assert all(map(torch.equal, twins[0].parameters(), twins[1].parameters()))
    assert not twins[0][0].weight.equal(model[0].weight)


def test_dormant_units_are_revived_where_asked() -> None:
    model, inputs = mlp(([], [])), torch.rand(16, 4)
    with torch.no_grad():
        model[0].weight[1], model[0].bias[1] = 0.0, 1e-3
    report = probe(model, [inputs])
    assert revive(model, report)["revived"][0] == 0
    assert revive(model, report, tau=0.025)["revived"][0] == 1
    assert model[0].bias[1] == 0


@pytest.mark.slow
def test_vgg_and_resnet_compute_what_they_did() -> None:
    images = torch.randn(2, 3, 64, 64)
    vgg = torchvision.models.vgg11(weights=None, num_classes=10)
    resnet = torchvision.models.resnet18(weights=None)
    with torch.no_grad():
        vgg.features[11].bias[[0, 7]] = NEVER
        resnet.layer1[0].bn1.bias[3] = NEVER
        resnet.bn1.bias[5] = NEVER
    for model, followed, revived in ((vgg, 10, "features.12"), (resnet, 8, "layer1.0.relu")):
        before = outputs(model, images)
        report = probe(model, [images])
        table = revive(model, report).set_index("layer")
        assert torch.allclose(outputs(model, images), before, rtol=0, atol=1e-6 * float(before.abs().max()))
        assert (table["reason"] == "").sum() == followed
        assert table.loc[revived, "revived"] == report.summary().set_index("layer").loc[revived, "dead"]
        # Inputs of the first layers are positive on average: most of the revived are alive at once.
        assert (
            probe(model, [images]).summary().set_index("layer").loc[revived, "dead"]
            < table.loc[revived, "revived"]
        )
    assert table.loc["relu", ["revived", "reason"]].tolist() == [0, "its output goes to add"]


@pytest.mark.parametrize("report", [None, nn.ReLU()])
def test_what_is_no_report_is_refused(report: Any) -> None:
    with pytest.raises(DyingReluError, match=f"the report: found {type(report).__name__}; expected"):
        revive(nn.Linear(1, 1), report)


def test_an_optimizer_of_another_model_is_refused() -> None:
    model, inputs = mlp(), torch.randn(4, 4)
    with pytest.raises(DyingReluError, match="no parameter of the model in it"):
        revive(model, probe(model, [inputs]), torch.optim.SGD(mlp().parameters(), lr=0.1))


class Planted(nn.Module):
    """Dead units in ``b``, and a call of a ReLU before that has no units, or that a trace may not see as one."""

    def __init__(self, first: Callable[["Planted", Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.o = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.scalar = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("zero", torch.tensor(0.0))
        self.first = first
        with torch.no_grad():
            self.a.bias.fill_(9.0)
            self.b.bias.fill_(9.0)
            self.b.bias[[1, 4]] = NEVER

    def forward(self, x: Tensor) -> Tensor:
        return self.first(self, x) * self.o(torch.relu(self.b(torch.relu(self.a(x)))))


FIRSTS: dict[str, Callable[[Planted, Tensor], Tensor]] = {
    "a scalar": lambda m, x: torch.relu(m.scalar),
    "integers": lambda m, x: torch.relu(torch.ones(1, dtype=torch.int64)),
    "nothing": lambda m, x: torch.relu(x[:0]).sum() + 1,
    "a clamp at a buffer": lambda m, x: (m.a(x) + 20).clamp(min=m.zero).mean(),
    "a clamp at what is computed": lambda m, x: (m.a(x) + 20).clamp(min=m.zero * 2).mean(),
}


@pytest.mark.parametrize("first", FIRSTS.values(), ids=FIRSTS)
def test_living_units_of_another_layer_are_never_taken_for_the_dead_ones(first: Callable) -> None:
    model, inputs = Planted(first), torch.randn(32, 4)
    before, old = outputs(model, inputs), copy.deepcopy(model.state_dict())
    report = probe(model, [inputs])
    dead = next(name for name in report.layers if report.units(name)["dead"].sum() == 2)
    table = revive(model, report).set_index("layer")
    assert (table.loc[dead, "revived"] == 2) != (table.loc[dead, "reason"].startswith("the data called 3"))
    assert outputs(model, inputs).equal(before)
    assert model.a.weight.equal(old["a.weight"])
    assert model.b.weight[[0, 2, 3, 5]].equal(old["b.weight"][[0, 2, 3, 5]])


def test_a_model_that_would_compute_another_thing_is_left_as_it_was() -> None:
    model, inputs = mlp(), torch.randn(32, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    report = probe(model, [inputs])
    with torch.no_grad():
        model[0].bias[[0, 3]] = 9.0  # alive since
    old = copy.deepcopy(model.state_dict())
    with pytest.raises(DyingReluError, match="the revived model's outputs differ on batch 1"):
        revive(model, report, optimizer)
    assert all(value.equal(old[name]) for name, value in model.state_dict().items())


def test_data_that_come_only_once_have_to_be_passed() -> None:
    model, inputs = mlp(), torch.randn(8, 4)
    report = probe(model, (batch for batch in [inputs]))
    with pytest.raises(DyingReluError, match="only once: found generator; pass the same batches with data="):
        revive(model, report)
    assert revive(model, report, data=[inputs])["revived"].sum() >= 3


def test_dead_units_that_cannot_be_reached_are_named_in_a_warning() -> None:
    model, inputs = nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.randn(8, 4)
    nn.init.constant_(model[0].bias, NEVER)
    with pytest.warns(UserWarning, match="dead units stay in 1 layers: 1: its output goes to") as warned:
        revive(model, probe(model, [inputs]))
    assert warned[0].filename == __file__
