"""What passes a mask, a threshold or a top-k is the activation, and a ReLU written by hand is one."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe

DEAD = [0, 1, 2, 5]


class StepFunction(torch.autograd.Function):
    """A ReLU with a derivative of its own."""

    @staticmethod
    def forward(ctx: object, z: Tensor) -> Tensor:
        return z * (z > 0)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


def assigned(z: Tensor) -> Tensor:
    z = z.clone()
    z[z < 0] = 0
    return z


BY_HAND: dict[str, Callable[[Tensor], Tensor]] = {
    "product with a mask": lambda z: z * (z > 0),
    "mask first": lambda z: (z > 0) * z,
    "mask of numbers": lambda z: z * z.gt(0).float(),
    "mask of its type": lambda z: torch.mul((z >= 0).to(z.dtype), z),
    "maximum": lambda z: torch.maximum(z, torch.zeros_like(z)),
    "maximum, zero first": lambda z: torch.max(torch.tensor(0.0), z),
    "fmax": lambda z: torch.fmax(z, torch.zeros(1)),
    "where": lambda z: torch.where(z > 0, z, torch.zeros_like(z)),
    "where, a number": lambda z: torch.where(z > 0, z, 0.0),
    "where, the other way": lambda z: torch.where(z <= 0, 0.0, z),
    "where as a method": lambda z: z.where(z > 0, torch.zeros(())),
    "masked_fill": lambda z: z.masked_fill(z < 0, 0.0),
    "masked_fill_": lambda z: z.clone().masked_fill_(z < 0, 0.0),
    "assignment": assigned,
    "heaviside": lambda z: z * torch.heaviside(z, torch.zeros(())),
    "not": lambda z: z * ~(z <= 0),
    "clamp at 6": lambda z: z.clamp(0, 6),
    "clip at 4": lambda z: torch.clip(z, min=0.0, max=4.0),
    "autograd function": StepFunction.apply,
}


class Between(nn.Module):
    """A function between two layers, the first of which has dead units."""

    def __init__(self, function: Callable[[Tensor], Tensor], units: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.function = nn.Linear(6, units), nn.Linear(units, 2), function
        with torch.no_grad():
            self.first.bias[DEAD] = -99.0

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x)))


INPUTS = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))


def dead(model: nn.Module, *batches: Tensor) -> list[list[int]]:
    report = probe(model, batches or [INPUTS])
    tables = [report.units(name) for name in report.layers]
    return [table.index[table["dead"]].tolist() for table in tables]


@pytest.mark.parametrize("function", BY_HAND.values(), ids=BY_HAND)
def test_a_relu_written_by_hand_is_seen(function: Callable[[Tensor], Tensor]) -> None:
    expected = (function(Between(function).first(INPUTS)) == 0).all(0).nonzero().flatten().tolist()
    assert expected == DEAD
    assert dead(Between(function), INPUTS[:40], INPUTS[40:]) == [DEAD]


class Autoencoder(nn.Module):
    """A sparse autoencoder with matrices as parameters; ``encode`` is one line."""

    def __init__(self, encode: Callable[["Autoencoder", Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.bias = nn.Parameter(torch.randn(6, 40) * 0.5), nn.Parameter(torch.zeros(40))
        self.decoder = nn.Parameter(torch.randn(40, 6) * 0.5)
        self.threshold = nn.Parameter(torch.full((40,), 0.3))
        self.encoded = encode
        with torch.no_grad():
            self.threshold[:9] = 50.0
            self.bias[20:25] = -9.0

    def z(self, x: Tensor) -> Tensor:
        return x @ self.encoder + self.bias

    def forward(self, x: Tensor) -> Tensor:
        return self.encoded(self, x) @ self.decoder


def scattered(values: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter_(-1, indices, values)


def with_rows(values: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    dense = torch.zeros_like(like)
    dense[torch.arange(len(like))[:, None], indices] = values
    return dense


def top_of_batch(a: Tensor) -> Tensor:
    values, indices = a.flatten().topk(5 * len(a))
    return torch.zeros_like(a.flatten()).scatter(0, indices, values).reshape(a.shape)


def top_then_relu(m: Autoencoder, x: Tensor) -> Tensor:
    z = m.z(x)
    values, indices = z.topk(3, dim=-1)
    return scattered(torch.relu(values), indices, z)


def threshold_of_top(m: Autoencoder, x: Tensor) -> Tensor:
    a = torch.relu(m.z(x))
    return a * (a >= a.topk(3, dim=-1).values[..., -1:])


def mask_of_top(m: Autoencoder, x: Tensor) -> Tensor:
    a = torch.relu(m.z(x))
    return a * torch.zeros_like(a).scatter(-1, a.topk(3).indices, 1.0)


def mask_of_sorted(m: Autoencoder, x: Tensor) -> Tensor:
    a = torch.relu(m.z(x))
    return a * torch.zeros_like(a).scatter(-1, a.argsort(-1, descending=True)[:, :3], 1.0)


def largest_sorted(m: Autoencoder, x: Tensor) -> Tensor:
    a = torch.relu(m.z(x))
    values, indices = a.sort(-1, descending=True)
    return scattered(values[:, :3], indices[:, :3], a)


def relu_of_largest_sorted(m: Autoencoder, x: Tensor) -> Tensor:
    z = m.z(x)
    values, indices = torch.sort(z, descending=True)
    return scattered(torch.relu(values[..., :3]), indices[..., :3], z)


def gate_of_its_own(m: Autoencoder, x: Tensor) -> Tensor:
    z = m.z(x)
    return ((z - m.threshold) > 0).float() * torch.relu(z * 2)


class Jump(torch.autograd.Function):
    """A ReLU behind a threshold with a derivative of its own, as sparse autoencoders have it."""

    @staticmethod
    def forward(x: Tensor, threshold: Tensor) -> Tensor:
        return (x * (x > threshold)).to(x)

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        pass

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


GATED: dict[str, Callable[[Autoencoder, Tensor], Tensor]] = {
    "threshold": lambda m, x: torch.relu(m.z(x)) * (m.z(x) > m.threshold),
    "threshold of the activation": lambda m, x: (lambda a: a * (a > m.threshold).float())(torch.relu(m.z(x))),
    "threshold, where": lambda m, x: (lambda a: torch.where(a > m.threshold, a, 0.0))(torch.relu(m.z(x))),
    "threshold without a relu": lambda m, x: (lambda z: z * (z > m.threshold))(m.z(x)),
    "threshold subtracted": lambda m, x: (lambda z: z * ((z - m.threshold) > 0))(m.z(x)),
    "masked_fill": lambda m, x: (lambda a: a.masked_fill(a < m.threshold, 0))(torch.relu(m.z(x))),
    "top k": lambda m, x: (lambda a: scattered(*a.topk(3), like=a))(torch.relu(m.z(x))),
    "top k, by index": lambda m, x: (lambda a: with_rows(*a.topk(3), like=a))(torch.relu(m.z(x))),
    "top k of the pre-activations": lambda m, x: (lambda z: scattered(*z.topk(3), like=z))(m.z(x)),
    "top k, then relu": top_then_relu,
    "top k, as a threshold": threshold_of_top,
    "top k, as a mask": mask_of_top,
    "threshold in an autograd function": lambda m, x: Jump.apply(torch.relu(m.z(x)), m.threshold),
    "gate of its own": gate_of_its_own,
    "top k by sort, as a mask": mask_of_sorted,
    "top k by sort": largest_sorted,
    "top k by sort, then relu": relu_of_largest_sorted,
    "top k of the batch": lambda m, x: top_of_batch(torch.relu(m.z(x))),
}


@pytest.mark.parametrize("encode", GATED.values(), ids=GATED)
def test_what_passes_a_gate_is_the_activation(encode: Callable[[Autoencoder, Tensor], Tensor]) -> None:
    model, batches = Autoencoder(encode), INPUTS.split(40)
    with torch.no_grad():
        passed = torch.cat([encode(model, batch) for batch in batches])
    expected = (passed == 0).all(0)
    assert 5 <= int(expected.sum()) < 40
    report = probe(model, batches)
    assert list(report.layers) == ["relu"] or len(report.layers) == 1
    assert report.unseen == {}
    table = report.units(next(iter(report.layers)))
    assert table["dead"].tolist() == expected.tolist()
    assert table["active_examples"].tolist() == (passed > 0).sum(0).tolist()


def test_what_is_read_beside_the_gate_too_is_not_gated() -> None:
    def both(m: Autoencoder, x: Tensor) -> Tensor:
        a = torch.relu(m.z(x))
        return a + a * (a > m.threshold)

    model = Autoencoder(both)
    expected = (model.z(INPUTS) <= 0).all(0)
    assert probe(model, [INPUTS]).units("relu")["dead"].tolist() == expected.tolist()


def test_what_passes_either_of_two_gates_counts() -> None:
    def halves(m: Autoencoder, x: Tensor) -> Tensor:
        a, first = torch.relu(m.z(x)), torch.arange(40) < 20
        return a * first + 2 * (a * ~first)

    model = Autoencoder(halves)
    expected = (model.z(INPUTS) <= 0).all(0)
    assert probe(model, [INPUTS]).units("relu")["dead"].tolist() == expected.tolist()


@pytest.mark.parametrize("kept", [8, 7])
def test_a_gate_that_changes_signs_silences_no_unit(kept: int) -> None:
    signs = torch.where(torch.arange(8) % 2 == 0, 1.0, -1.0)  # excitatory and inhibitory units
    mask = (torch.arange(8) < kept).float()
    one, other = Between(lambda z: torch.relu(z) * (signs * mask)), Between(lambda z: torch.relu(z) * mask)
    tables = [probe(model, [INPUTS]).units("relu") for model in (one, other)]
    for column in ("dead", "nearly_dead", "active_share", "active_examples"):
        assert tables[0][column].tolist() == tables[1][column].tolist()


def test_a_constant_without_a_zero_is_no_gate() -> None:
    scales = torch.linspace(1, 1000, 8)
    table = probe(Between(lambda z: torch.relu(z) * scales), [INPUTS]).units("relu")
    expected = probe(Between(torch.relu), [INPUTS]).units("relu")
    assert table["mean_abs_activation"].tolist() == expected["mean_abs_activation"].tolist()


def test_padding_that_the_model_masks_wakes_no_unit() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.first, self.last = (
                nn.Embedding(10, 4, padding_idx=0),
                nn.Linear(4, 6),
                nn.Linear(6, 2),
            )
            with torch.no_grad():
                self.embedding.weight[1:] = self.embedding.weight[1:].abs() + 0.1
                self.first.weight[0], self.first.bias[0] = -5.0, 0.1

        def forward(self, tokens: Tensor) -> Tensor:
            h = functional.relu(self.first(self.embedding(tokens)))
            return self.last((h * (tokens != 0)[..., None]).sum(1))

    tokens = torch.randint(1, 10, (8, 5))
    tokens[:, 3:] = 0
    assert probe(Pooled(), [tokens]).units("relu")["dead"][0]


def test_a_mask_that_has_nothing_to_do_with_the_layer_makes_no_activation_of_it() -> None:
    model = Between(lambda z: torch.relu(z * (torch.arange(8) > 3)))
    assert list(probe(model, [INPUTS]).layers) == ["relu"]
