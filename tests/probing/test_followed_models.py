"""Units are followed in models as people write them: transformers, plain parameters, transposed convolutions, random numbers."""

import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, prune_dead, revive
from dying_relu.adapters.torchvision_import import torchvision  # noqa: F401  Transformers imports it
from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.outputs import tensors_of
from dying_relu.probing.prune import removable

NEVER = -1e4


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same models and data in every run, whichever tests came before."""
    torch.manual_seed(0)


def kill(bias: Tensor, units: list[int]) -> None:
    """Make some units dead, and all others of the layer alive."""
    with torch.no_grad():
        bias.fill_(9.0)
        bias[units] = NEVER


class Written(nn.Module):
    """A model whose forward is a function, and its parts."""

    def __init__(self, forward: Callable[..., Any], **parts: nn.Module | nn.Parameter | Tensor) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.written = forward

    def forward(self, x: Tensor) -> Any:
        return self.written(self, x)


def parameters(*shapes: tuple[int, ...]) -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape) / 3) for shape in shapes]


Case = tuple[nn.Module, Any, str]
"""A model with three dead units, a batch, and the name of the layer with them."""
DEAD = [1, 3, 4]


def opt() -> Case:
    import transformers as tf

    sizes = {"hidden_size": 16, "ffn_dim": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = tf.OPTForCausalLM(
        tf.OPTConfig(vocab_size=50, max_position_embeddings=32, word_embed_proj_dim=16, **sizes)
    )
    kill(model.model.decoder.layers[1].fc1.bias, DEAD)
    return model, {"input_ids": torch.randint(0, 50, (3, 7))}, "model.decoder.layers.1.activation_fn"


def bert() -> Case:
    import transformers as tf

    sizes = {"hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = tf.BertForSequenceClassification(
        tf.BertConfig(vocab_size=50, max_position_embeddings=32, hidden_act="relu", **sizes)
    )
    kill(model.bert.encoder.layer[0].intermediate.dense.bias, DEAD)
    batch = {"input_ids": torch.randint(0, 50, (3, 7)), "attention_mask": torch.ones(3, 7, dtype=torch.int64)}
    return model, batch, "bert.encoder.layer.0.intermediate.intermediate_act_fn"


def gpt2() -> Case:
    """Its layers hold their weights with the inputs first."""
    import transformers as tf

    model = tf.GPT2LMHeadModel(
        tf.GPT2Config(
            vocab_size=50,
            n_positions=32,
            n_embd=16,
            n_layer=1,
            n_head=2,
            n_inner=12,
            activation_function="relu",
        )
    )
    kill(model.transformer.h[0].mlp.c_fc.bias, DEAD)
    return model, {"input_ids": torch.randint(0, 50, (3, 7))}, "transformer.h.0.mlp.act"


def t5() -> Case:
    """An encoder and a decoder, without any bias."""
    import transformers as tf

    model = tf.T5ForConditionalGeneration(
        tf.T5Config(
            vocab_size=50, d_model=16, d_kv=8, d_ff=12, num_layers=1, num_heads=2, decoder_start_token_id=0
        )
    )
    with torch.no_grad():
        dense = model.encoder.block[0].layer[1].DenseReluDense
        dense.wi.weight.fill_(0.0)
        dense.wi.weight[[0, 2, *range(5, 12)]] = torch.randn(9, 16)
    batch = {"input_ids": torch.randint(0, 50, (3, 7)), "decoder_input_ids": torch.randint(0, 50, (3, 5))}
    return model, batch, "encoder.block.0.layer.1.DenseReluDense.act"


def encoder_layer() -> Case:
    model = nn.TransformerEncoderLayer(16, 2, 12, batch_first=True)
    kill(model.linear1.bias, DEAD)
    return model, torch.randn(3, 7, 16), "relu"


def encoder() -> Case:
    layer = nn.TransformerEncoderLayer(16, 2, 12, norm_first=True, activation=nn.ReLU())
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    kill(model.layers[1].linear1.bias, DEAD)
    return model, torch.randn(7, 3, 16), "layers.1.activation"


def encoder_and_decoder() -> Case:
    model = nn.Transformer(16, 2, 1, 1, 12, batch_first=True)
    kill(model.decoder.layers[0].linear1.bias, DEAD)
    return model, (torch.randn(3, 7, 16), torch.randn(3, 5, 16)), "decoder.layers.0:relu"


def plain_parameters() -> Case:
    names = ("w1", "b1", "w2", "b2")
    parts = dict(zip(names, parameters((6, 12), (12,), (12, 4), (4,)), strict=True))
    kill(parts["b1"], DEAD)
    model = Written(lambda m, x: torch.relu(x @ m.w1 + m.b1) @ m.w2 + m.b2, **parts)
    return model, torch.randn(32, 6), "relu"


def weights_first() -> Case:
    names = ("w1", "b1", "w2")
    parts = dict(zip(names, parameters((12, 6), (12, 1), (4, 12)), strict=True))
    kill(parts["b1"], DEAD)
    model = Written(lambda m, x: (m.w2 @ torch.relu(m.w1 @ x.T + m.b1)).T, **parts)
    return model, torch.randn(32, 6), "relu"


def einsum() -> Case:
    parts = dict(zip(("w1", "b1", "w2"), parameters((6, 12), (12,), (12, 4)), strict=True))
    kill(parts["b1"], DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        return torch.einsum("btj,jk->btk", torch.relu(torch.einsum("bti,ij->btj", x, m.w1) + m.b1), m.w2)

    return Written(forward, **parts), torch.randn(8, 5, 6), "relu"


def function_linear() -> Case:
    parts = dict(zip(("w1", "b1", "w2"), parameters((12, 6), (12,), (4, 12)), strict=True))
    kill(parts["b1"], DEAD)
    forward = lambda m, x: functional.linear(functional.linear(x, m.w1, m.b1).relu(), m.w2)  # noqa: E731
    return Written(forward, **parts), torch.randn(32, 6), "relu"


def generator() -> Case:
    """Noise becomes an image, as in DCGAN: a channel of the first layer is fed by 4 x 4 columns."""
    model = nn.Sequential(
        *(nn.Linear(6, 8 * 16), nn.Unflatten(1, (8, 4, 4)), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.ConvTranspose2d(8, 12, 4, 2, 1), nn.BatchNorm2d(12), nn.ReLU()),
        *(nn.ConvTranspose2d(12, 3, 4, 2, 1), nn.Tanh()),
    )
    kill(model[2].bias, DEAD)
    kill(model[5].bias, DEAD)
    return model, torch.randn(4, 6), "6"


def reshaped_feed() -> Case:
    return *generator()[:2], "3"


def transposed_1d() -> Case:
    model = nn.Sequential(
        nn.ConvTranspose1d(3, 12, 4, 2), nn.ReLU(), nn.ConvTranspose1d(12, 3, 4, 2, groups=1), nn.Flatten()
    )
    kill(model[0].bias, DEAD)
    return model, torch.randn(4, 3, 9), "1"


def depthwise() -> Case:
    model = nn.Sequential(
        *(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12), nn.ReLU6()),
        *(nn.Conv2d(12, 12, 3, groups=12), nn.BatchNorm2d(12), nn.ReLU6(), nn.Conv2d(12, 4, 1)),
    )
    kill(model[1].bias, DEAD)
    with torch.no_grad():
        model[1].bias.clamp_(max=1.0)
    return model, torch.randn(4, 3, 8, 8), "2"


def always_dropped_out() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(
        lambda m, x: m.b(functional.dropout(functional.relu(m.a(x)), 0.5, training=True)), **parts
    )
    return model, torch.randn(32, 6), "relu"


def with_noise() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 8), "c": nn.Linear(4, 6)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = m.b(torch.relu(m.a(x + 0.1 * torch.randn_like(x)))).chunk(2, 1)
        return m.c(mean + torch.randn_like(mean) * deviation.exp()), mean

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def gated() -> Case:
    parts = {"gate": nn.Linear(6, 12), "up": nn.Linear(6, 12), "down": nn.Linear(12, 6)}
    kill(parts["gate"].bias, DEAD)
    model = Written(lambda m, x: x + m.down(torch.relu(m.gate(x)) * m.up(x)), **parts)
    return model, torch.randn(8, 5, 6), "relu"


def gated_in_halves() -> Case:
    parts = {"both": nn.Linear(6, 24), "down": nn.Linear(12, 6)}
    kill(parts["both"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        first, second = m.both(x).chunk(2, -1)
        return m.down(torch.relu(first) * second)

    return Written(forward, **parts), torch.randn(8, 5, 6), "relu"


def mixer() -> Case:
    """A layer over tokens, between two transpositions."""
    parts = {"a": nn.Linear(5, 12), "b": nn.Linear(12, 5)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: x + m.b(torch.relu(m.a(x.transpose(1, 2)))).transpose(1, 2), **parts)
    return model, torch.randn(8, 5, 6), "relu"


def adapted() -> Case:
    """A frozen layer with a correction of low rank, as in LoRA."""
    parts = {"base": nn.Linear(6, 12), "down": nn.Linear(6, 2, False), "up": nn.Linear(2, 12, False)}
    kill(parts["base"].bias, DEAD)
    parts["base"].requires_grad_(False)
    parts["o"] = nn.Linear(12, 4)
    model = Written(lambda m, x: m.o(torch.relu(m.base(x) + 2.0 * m.up(m.down(x)))), **parts)
    return model, torch.randn(32, 6), "relu"


def routed() -> Case:
    """An expert that only the second batch reaches."""
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "c": nn.Linear(6, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: m.b(torch.relu(m.a(x))) if x.mean() > 2 else m.c(torch.tanh(x)), **parts)
    return model, [torch.randn(8, 6), torch.randn(8, 6) + 5], "relu"


def concatenated() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(18, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: m.b(torch.cat([x, torch.relu(m.a(x))], -1)), **parts)
    return model, torch.randn(32, 6), "relu"


CASES = [
    *(opt, bert, gpt2, t5, encoder_layer, encoder, encoder_and_decoder, plain_parameters, weights_first, einsum),
    *(function_linear, generator, reshaped_feed, transposed_1d, depthwise, always_dropped_out, with_noise, gated),
    *(gated_in_halves, mixer, adapted, routed, concatenated),
]  # fmt: skip
KEPT_BY_PRUNING = {depthwise, gated, gated_in_halves, gpt2, reshaped_feed}
"""Models that only run with as many units as they have: what gates the units, or their own code, counts on all of them."""


def loader_of(batch: Any) -> list[Any]:
    return batch if isinstance(batch, list) else [batch]


def sizes(model: nn.Module) -> int:
    return sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_dead_units_are_revived_and_the_outputs_stay(make: Callable[[], Case]) -> None:
    model, batch, layer = make()
    loader = loader_of(batch)
    report = probe(model, loader)
    assert report.units(layer)["dead"].to_numpy().nonzero()[0].tolist()[:3] == DEAD
    before = outputs(model, loader)
    table = revive(model, report).set_index("layer")
    assert table.loc[layer, "reason"] == ""
    assert table.loc[layer, "revived"] == report.units(layer)["dead"].sum() >= 3
    for old, new in zip(before, outputs(model, loader), strict=True):
        assert torch.allclose(old, new, rtol=0, atol=1e-5 * float(old.abs().max()))
    assert not probe(model, loader).units(layer)["dead"].iloc[DEAD].all()


def outputs(model: nn.Module, loader: list[Any]) -> list[Tensor]:
    torch.manual_seed(7)
    found = []
    with torch.no_grad():
        model.eval()
        for batch in loader:
            call = (
                model(**batch)
                if isinstance(batch, dict)
                else model(*batch)
                if isinstance(batch, tuple)
                else model(batch)
            )
            found += [one.clone() for one in tensors_of(call)]
    return found


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_dead_units_are_removed_or_stay_with_a_reason(make: Callable[[], Case]) -> None:
    model, batch, layer = make()
    loader = loader_of(batch)
    report = probe(model, loader)
    row = removable(model, report).set_index("layer").loc[layer]
    assert (row["removed"] == 0) == (make in KEPT_BY_PRUNING), row["reason"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruned = prune_dead(model, report)
    require_equal(model, pruned, loader, "pruned", constant_draws=True)
    assert sizes(pruned) < sizes(model) or row["removed"] == 0


@dataclass
class Output:
    values: Tensor
    more: dict[str, list[Tensor]]


Pair = namedtuple("Pair", "first second")


class Slotted:
    __slots__ = ("values",)

    def __init__(self, values: Tensor) -> None:
        self.values = values


WRAPPED: dict[str, Callable[[Tensor], Any]] = {
    "a data class": lambda y: Output(y, {"more": [y + 1]}),
    "a named tuple": lambda y: Pair(y, Pair(y, None)),
    "a namespace": lambda y: SimpleNamespace(values=y),
    "an object with slots": Slotted,
    "a distribution": lambda y: torch.distributions.Normal(y, 1.0),
    "a data class in a list in a dict": lambda y: {"a": [Output(y, {})]},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_outputs_are_compared_however_they_are_wrapped(wrap: Callable[[Tensor], Any]) -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    with torch.no_grad():
        parts["a"].weight[1], parts["a"].bias[1] = 1.0, 0.0
    model = Written(lambda m, x: wrap(m.b(torch.relu(m.a(x)))), **parts)
    negative, positive = -torch.rand(8, 3), torch.rand(8, 3)
    report = probe(model, [negative])
    prune_dead(model, report)
    for act in (prune_dead, revive):
        with pytest.raises(DyingReluError, match="outputs differ on batch 1"):
            act(model, report, data=[positive])


def test_outputs_without_a_tensor_prove_nothing() -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    kill(parts["a"].bias, [1])
    model = Written(lambda m, x: m.b(torch.relu(m.a(x))).tolist(), **parts)
    inputs = torch.rand(4, 3)
    with pytest.raises(DyingReluError, match="cannot be compared on batch 1: found 0 and 0 tensors"):
        prune_dead(model, probe(model, [inputs]))


def test_the_random_numbers_of_the_caller_are_not_missing() -> None:
    model, batch, _ = with_noise()
    report = probe(model, [batch])
    torch.manual_seed(3)
    prune_dead(model, report)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert drawn.equal(torch.rand(1))
    with preserved_random_state([]):
        revive(model, report, generator=torch.Generator().manual_seed(1))


def test_steps_of_a_recurrence_that_share_weights_stay_as_they_are() -> None:
    """A unit may be dead in one step and alive in another."""
    parts = {"i": nn.Linear(3, 6), "h": nn.Linear(6, 6), "o": nn.Linear(6, 2)}

    def forward(m: Any, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), 6)
        for step in x.unbind(1):
            state = torch.relu(m.i(step) + m.h(state))
        return m.o(state)

    model, inputs = Written(forward, **parts), torch.randn(8, 4, 3)
    kill(parts["i"].bias, [2])
    before = outputs(model, [inputs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        revive(model, probe(model, [inputs]))
    assert outputs(model, [inputs])[0].allclose(before[0], atol=1e-6)


class Doubled(torch.autograd.Function):
    """A function that reads units where nothing of Python's is seen."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x * 2 + 1

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * 2


def test_what_a_custom_function_does_to_units_is_seen() -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    kill(parts["a"].bias, [1])
    model = Written(lambda m, x: m.b(Doubled.apply(torch.relu(m.a(x)))), **parts)
    report = probe(model, [torch.rand(4, 3)])
    assert removable(model, report)["reason"].tolist() == ["its output goes to add"]


def test_weights_that_are_read_by_another_way_too_stay() -> None:
    """A copy of them that follows them, as momentum encoders do."""
    parts = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 2), "slow": nn.Linear(6, 2)}
    kill(parts["a"].bias, [1])

    def forward(m: Any, x: Tensor) -> Tensor:
        m.slow.weight.data.mul_(0.9).add_(m.b.weight, alpha=0.1)
        return m.b(torch.relu(m.a(x))) + m.slow(x[:, [0, 1, 2, 3, 0, 1]])

    report = probe(Written(forward, **parts), [torch.rand(8, 4)])
    model = Written(forward, **parts)
    assert removable(model, report)["reason"].tolist() == ["b is used in more than one place"]


def test_a_model_that_knows_its_number_of_units_keeps_them() -> None:
    parts = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 2)}
    kill(parts["a"].bias, [1])
    inputs = torch.randn(8, 4)
    for forward in (
        lambda m, x: m.b(torch.relu(m.a(x)).view(-1, 6)),
        lambda m, x: (lambda h: m.b(h) / h.size(1))(torch.relu(m.a(x))),
    ):
        model = Written(forward, **parts)
        report = probe(model, [inputs])
        with pytest.warns(
            UserWarning, match="the model computes something else, or nothing, with fewer units"
        ):
            pruned = prune_dead(model, report)
        assert pruned.a.out_features == 6
