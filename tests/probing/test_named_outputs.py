"""Outputs that the caller names as activations: of modules, of functions, and tensors that are marked."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from written_models import killed

from dying_relu import mark_activation, probe, prune_dead, revive
from dying_relu.errors import DyingReluError

INPUTS = torch.randn(48, 4, generator=torch.Generator().manual_seed(3))


def test_the_output_of_a_module_can_be_named_as_the_activation() -> None:
    class Spikes(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.exp(z).floor().clamp(max=3)

    model = nn.Sequential(killed(nn.Linear(4, 6), 2), Spikes(), nn.Linear(6, 1))
    report = probe(model, [INPUTS], activations="1")
    assert report.summary()[["layer", "kind", "units", "dead"]].to_numpy().tolist() == [["1", "Spikes", 6, 2]]
    with pytest.raises(DyingReluError, match="activations names a module or function that is not there"):
        probe(model, [INPUTS], activations="nowhere")


def test_the_gradient_of_a_named_module_is_what_autograd_gives() -> None:
    class Surrogate(nn.Module):
        calls = 0

        def forward(self, z: Tensor) -> Tensor:
            self.calls += 1
            return z.sigmoid() + (z.relu() - z.sigmoid()).detach()

    model = nn.Sequential(nn.Linear(4, 6), Surrogate(), nn.Linear(6, 1))
    with torch.no_grad():
        model[0].bias[:2] = -30
        model[0].bias[2] = -60
        model[0].bias[3] = -999  # so far down that the sigmoid's derivative is 0 too
    table = probe(model, [INPUTS], activations="1").units("1")
    assert table["inactive"].tolist()[:4] == [True] * 4
    assert table["dead"].tolist()[:4] == [False, False, False, True]
    assert table["bias"].tolist()[:4] == [-30, -30, -60, -999]
    assert model[1].calls == 1


@pytest.mark.parametrize("last", [nn.Identity(), nn.BatchNorm1d(6)])
def test_any_module_can_be_named(last: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(4, 6), last)
    assert probe(model, [INPUTS], activations="1").summary()["units"].tolist() == [6]


def test_a_named_module_that_mixes_units_counts_by_what_it_lets_through() -> None:
    class Largest(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.zeros_like(z).scatter(-1, z.topk(2).indices, z.topk(2).values)

    model = nn.Sequential(nn.Linear(4, 6), Largest(), nn.Linear(6, 1))
    with torch.no_grad():
        model[0].bias[:2] = 99
    report = probe(model, [INPUTS], activations="1")
    assert report.units("1")["dead"].tolist() == [False] * 2 + [True] * 4


class Encoder(nn.Module):
    """A sparse autoencoder whose codes no rule recognises: by an einsum with a mask."""

    def __init__(self, codes: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.decoder, self.codes = nn.Linear(4, 16), nn.Linear(16, 4), codes
        with torch.no_grad():
            self.encoder.bias[:5] = -99.0

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.codes(self.encoder(x)))


def largest(z: Tensor) -> Tensor:
    mask = torch.zeros_like(z).scatter(-1, z.topk(3).indices, 1.0)
    return torch.einsum("bu,bu->bu", z, mask)


def above_threshold(z: Tensor) -> Tensor:
    return z * torch.sigmoid(1e4 * (z - 0.5)).round()


def exponential(z: Tensor) -> Tensor:
    return torch.exp(z).floor()


CODES = {"einsum": largest, "threshold": above_threshold, "exp": exponential}


def dead_by_hand(model: Encoder) -> list[bool]:
    with torch.no_grad():
        return (model.codes(model.encoder(INPUTS)) == 0).all(0).tolist()


@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
def test_a_marked_tensor_is_an_activation(codes: Callable[[Tensor], Tensor]) -> None:
    model = Encoder(codes)
    expected = dead_by_hand(model)
    assert 5 <= sum(expected) < 16
    unmarked = model(INPUTS)
    model.codes = lambda z: mark_activation(codes(z), "codes")
    assert model(INPUTS).equal(unmarked)
    report = probe(nn.Sequential(model), [INPUTS], layers="*codes")
    assert list(report.layers) == ["0:codes"]
    assert report.units("0:codes")["dead"].tolist() == expected
    assert probe(model, [INPUTS]).units("codes")["dead"].tolist() == expected


@pytest.mark.parametrize(
    ("codes", "name"), [(largest, "einsum"), (above_threshold, "mul#2"), (exponential, "floor")]
)
def test_a_function_can_be_named_whose_output_is_the_activation(
    codes: Callable[[Tensor], Tensor], name: str
) -> None:
    model = Encoder(codes)
    report = probe(
        nn.Sequential(model), [INPUTS[:20], INPUTS[20:]], activations=f"0:{name}", layers=f"0:{name}"
    )
    assert list(report.layers) == [f"0:{name}"]
    assert report.units(f"0:{name}")["dead"].tolist() == dead_by_hand(model)


def test_a_function_that_is_not_there_is_an_error_that_lists_those_that_are() -> None:
    with pytest.raises(
        DyingReluError, match=r"found 'multiply'; expected paths .*linear, exp, floor, linear#2"
    ):
        probe(Encoder(exponential), [INPUTS], activations=["floor", "multiply"])


def test_an_assignment_can_be_named() -> None:
    def codes(z: Tensor) -> Tensor:
        values, places = z.abs().topk(3)
        dense = torch.zeros_like(z)
        dense[torch.arange(len(z))[:, None], places] = values
        return dense

    model = Encoder(codes)
    assert probe(model, [INPUTS], activations="setitem").units("setitem")["dead"].tolist() == dead_by_hand(
        model
    )


def test_what_passes_a_mask_behind_a_mark_is_the_activation() -> None:
    model = Encoder(lambda z: (lambda a: a * (a > 2))(mark_activation(z.exp().floor(), "codes")))
    assert probe(model, [INPUTS]).units("codes")["dead"].tolist() == dead_by_hand(model)


def test_named_layers_can_be_pruned_and_revived() -> None:
    named = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.Sequential(nn.ReLU()), nn.Linear(6, 1))
    marked = Encoder(lambda z: mark_activation(torch.exp(z).floor(), "codes"))
    function = Encoder(exponential)
    for model, options, dead in (
        (named, {"activations": "1"}, 2),
        (marked, {}, 5),
        (function, {"activations": "floor"}, 5),
    ):
        report = probe(model, [INPUTS], **options)
        small = prune_dead(model, report)
        assert sum(one.numel() for one in small.parameters()) < sum(one.numel() for one in model.parameters())
        assert revive(model, report)["revived"].tolist() == [dead]


def test_a_mark_costs_a_compiled_model_nothing() -> None:
    model = nn.Sequential(Encoder(lambda z: mark_activation(torch.exp(z).floor(), "codes")))
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert compiled(INPUTS).equal(model(INPUTS))
    assert list(probe(compiled, [INPUTS]).layers) == ["0:codes"]


def test_a_spike_is_named_by_the_function_that_makes_numbers_of_it() -> None:
    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, u: Tensor) -> Tensor:
            return (u > 0).float()

    class Spiking(Encoder):
        def forward(self, x: Tensor) -> Tensor:
            potential, total = torch.zeros(len(x), 16), torch.zeros(len(x), 4)
            for _ in range(3):
                potential = 0.9 * potential + self.encoder(x)
                spikes = Spike.apply(potential - 1)
                potential, total = potential - spikes, total + self.decoder(spikes)
            return total

    model = Spiking(torch.relu)
    with pytest.raises(DyingReluError, match=r"no activation.*mark_activation any tensor in forward"):
        probe(model, [INPUTS])
    with pytest.raises(DyingReluError, match="gt: it returns no tensor of floating-point numbers"):
        probe(model, [INPUTS], activations="gt")
    table = probe(model, [INPUTS], activations="float").units("float")
    assert table["dead"].tolist()[:5] == [True] * 5
    assert table["calls"][0] == "float, float#2, float#3"
