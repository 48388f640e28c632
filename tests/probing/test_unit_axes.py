"""Units are on the axis where their layer put them, and have its weights and biases only if they are its output."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from written_models import Written

from dying_relu import probe
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.probing.tracking import Origins

pytestmark = pytest.mark.usefixtures("seeded")

SEQUENCE, IMAGES = (2, 3, 9), (2, 3, 8, 7)
CONV1, CONV2 = nn.Conv1d(3, 5, 2), nn.Conv2d(3, 5, 2)
AXES: dict[str, tuple[Callable[[Written, Tensor], Tensor], nn.Module, tuple[int, ...]]] = {
    "transposed": (lambda m, x: torch.relu(m.a(x).transpose(1, 2)), CONV1, SEQUENCE),
    "a property": (lambda m, x: torch.relu(m.a(x).mT), CONV1, SEQUENCE),
    "channels last and back": (
        lambda m, x: torch.relu(functional.layer_norm(m.a(x).permute(0, 2, 3, 1), (5,)).permute(0, 3, 1, 2)),
        CONV2,
        IMAGES,
    ),
    "without an axis of examples": (lambda m, x: torch.relu(m.a(x)), CONV2, IMAGES[1:]),
    "flattened positions": (lambda m, x: torch.relu(m.a(x).flatten(2)), CONV2, IMAGES),
    "one position": (lambda m, x: torch.relu(m.a(x).mean((2, 3)) - 0.1), CONV2, IMAGES),
    "a sum": (lambda m, x: torch.relu(m.a(x) + m.a(x).transpose(1, 2).transpose(1, 2)), CONV1, SEQUENCE),
    "one of several": (lambda m, x: torch.relu(m.a(x).split(1, 2)[0].squeeze(2)), CONV1, SEQUENCE),
    "a linear layer of another branch called last": (
        lambda m, x: (lambda z: (m.b(x), torch.relu(z))[1])(m.a(x)),
        CONV1,
        SEQUENCE,
    ),
    "the weights first": (lambda m, x: torch.relu(m.left @ m.a(x).flatten(2)), CONV2, IMAGES),
}


@pytest.mark.parametrize(("forward", "layer", "shape"), AXES.values(), ids=AXES)
def test_units_are_the_five_channels(forward: Callable, layer: nn.Module, shape: tuple[int, ...]) -> None:
    model = Written(forward, a=layer, b=nn.Linear(shape[-1], 2))
    model.left = nn.Parameter(torch.randn(5, 5))
    assert probe(model, [torch.randn(shape)]).summary()["units"].tolist() == [5]


def test_an_einsum_has_the_units_of_its_weights() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.weight = nn.Conv2d(3, 4, 1), nn.Parameter(torch.randn(6, 4))

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.einsum("bchw,oc->bohw", self.conv(x), self.weight))

    table = probe(Mixed(), [torch.randn(IMAGES)]).units("relu")
    assert len(table) == 6
    assert table["bias"].isna().all()


def test_the_layer_norm_of_torchvisions_convnext_keeps_the_channels() -> None:
    norm = torchvision.models.convnext.LayerNorm2d(5)
    model = nn.Sequential(nn.Conv2d(3, 5, 2), norm, nn.ReLU())
    nn.init.uniform_(norm.bias)
    table = probe(model, [torch.randn(IMAGES)]).units("2")
    assert table["bias"].to_numpy() == pytest.approx(norm.bias.detach().numpy())
    assert (table["weight_norm"] == 1).all()


@pytest.mark.slow
def test_wav2vec_with_layer_norm_has_channels_as_units() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, feat_extract_norm="layer",
        conv_dim=(8, 12), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2, mask_time_prob=0.0,
    )  # fmt: skip
    report = probe(transformers.Wav2Vec2Model(config), [torch.randn(2, 400)])
    units = report.summary().set_index("layer")["units"]
    assert units.iloc[:2].tolist() == [8, 12]


@pytest.mark.slow
def test_mambaout_of_timm_has_channels_as_units() -> None:
    model = pytest.importorskip("timm").create_model("test_mambaout", pretrained=False)
    units = probe(model, [torch.randn(2, 3, 160, 160)]).summary().set_index("layer")["units"]
    for stage in range(4):
        block = model.get_submodule(f"stages.{stage}.blocks.0")
        assert units[f"stages.{stage}.blocks.0.act"] == block.fc2.in_features


class Fed(nn.Module):
    """What stands before a ReLU, written in one line; its layers' biases are numbers that tell them apart."""

    def __init__(self, z: Callable[["Fed", Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.norm, self.layer_norm = (
            nn.Linear(4, 4),
            nn.Linear(4, 4),
            nn.BatchNorm1d(4),
            nn.LayerNorm(4),
        )
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.w = nn.Parameter(torch.randn(4, 4))
        for place, layer in enumerate((self.a, self.b, self.norm, self.layer_norm), start=1):
            nn.init.constant_(layer.bias, place)
        self.z = z

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.z(self, x))


BIASES: dict[str, tuple[Callable[[Fed, Tensor], Tensor], float | None]] = {
    "its layer": (lambda m, x: m.a(x), 1),
    "not the layer called last": (lambda m, x: (m.a(x), m.b(x))[0], 1),
    "batch normalisation": (lambda m, x: m.norm(m.a(x)), 3),
    "layer normalisation": (lambda m, x: m.layer_norm(m.a(x)), 4),
    "a transposition there and back": (lambda m, x: m.a(x).transpose(0, 1).transpose(0, 1), 1),
    "dropout": (lambda m, x: functional.dropout(m.a(x), training=m.training), 1),
    "a sum": (lambda m, x: m.a(x) + m.b(x), None),
    "a sum in place": (lambda m, x: (lambda z: z.add_(m.b(x)))(m.a(x)), None),
    "a changed entry": (lambda m, x: _changed(m.a(x)), None),
    "a product with weights, and a layer's sum": (lambda m, x: m.a(x) @ m.w + m.b(x), None),
    "attention": (lambda m, x: m.attention(*[m.a(x)[None]] * 3)[0][0], None),
    "scaled": (lambda m, x: 2 * m.a(x), None),
}


def _changed(z: Tensor) -> Tensor:
    z[0] = 5.0
    return z


@pytest.mark.parametrize(("z", "bias"), BIASES.values(), ids=BIASES)
def test_the_bias_is_that_of_the_layer_whose_output_it_is(
    z: Callable[[Fed, Tensor], Tensor], bias: float | None
) -> None:
    table = probe(Fed(z), [torch.randn(6, 4)]).units("relu")
    assert table["bias"].dropna().unique().tolist() == ([] if bias is None else [bias])
    assert table["weight_norm"].notna().all() == (bias is not None)


class Plain(nn.Module):
    """Pre-activations of plain parameters, the weights with the inputs first."""

    def __init__(self, z: Callable[["Plain", Tensor], Tensor]) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(3))
        self.before = nn.Parameter(torch.randn(4))
        self.members, self.of_members = nn.Parameter(torch.randn(2, 4, 3)), nn.Parameter(torch.randn(2, 1, 3))
        self.kernel = nn.Parameter(torch.randn(3, 4, 1))
        self.z = z

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.z(self, x))


def _added_in_place(z: Tensor, bias: Tensor) -> Tensor:
    z += bias
    return z


PARAMETERS: dict[str, tuple[Callable[[Plain, Tensor], Tensor], Callable[[Plain], tuple[Any, Any]]]] = {
    "a sum": (lambda m, x: x @ m.w + m.b, lambda m: (m.w.T, m.b)),
    "the bias first": (lambda m, x: torch.add(m.b, torch.matmul(x, m.w)), lambda m: (m.w.T, m.b)),
    "centred inputs": (lambda m, x: (x - m.before) @ m.w + m.b, lambda m: (m.w.T, m.b)),
    "inputs of a layer before": (lambda m, x: (x.relu() - m.before) @ m.w + m.b, lambda m: (m.w.T, m.b)),
    "in place": (lambda m, x: _added_in_place(x @ m.w, m.b), lambda m: (m.w.T, m.b)),
    "a threshold": (lambda m, x: x @ m.w - m.b, lambda m: (m.w.T, -m.b)),
    "weights first": (lambda m, x: m.w.T @ x.T + m.b[:, None], lambda m: (m.w.T, m.b)),
    "addmm": (lambda m, x: torch.addmm(m.b, x, m.w), lambda m: (m.w.T, m.b)),
    "scaled addmm": (lambda m, x: torch.addmm(m.b, x, m.w, beta=2), lambda m: (None, None)),
    "einsum": (lambda m, x: torch.einsum("bi,ij->bj", x, m.w) + m.b, lambda m: (m.w.T, m.b)),
    "no bias": (lambda m, x: x @ m.w, lambda m: (m.w.T, None)),
    "a linear layer without a bias": (lambda m, x: functional.linear(x, m.w.T) + m.b, lambda m: (m.w.T, m.b)),
    "a convolution": (
        lambda m, x: functional.conv1d(x[..., None], m.kernel) + m.b.view(-1, 1),
        lambda m: (m.kernel, m.b),
    ),
    "an ensemble": (
        lambda m, x: x.expand(2, -1, -1) @ m.members + m.of_members,
        lambda m: (m.members.mT.flatten(0, 1), m.of_members.flatten()),
    ),
    "an ensemble by baddbmm": (
        lambda m, x: torch.baddbmm(m.of_members, x.expand(2, -1, -1), m.members),
        lambda m: (m.members.mT.flatten(0, 1), m.of_members.flatten()),
    ),
    "an ensemble by einsum": (
        lambda m, x: torch.einsum("bi,eij->ebj", x, m.members) + m.of_members,
        lambda m: (m.members.mT.flatten(0, 1), m.of_members.flatten()),
    ),
    "two biases": (lambda m, x: x @ m.w + m.b + m.b, lambda m: (None, None)),
    "a bias of examples": (lambda m, x: x[:4] @ m.w + m.before[:, None], lambda m: (None, None)),
    "a bias minus the units": (lambda m, x: m.b - x @ m.w, lambda m: (None, None)),
}


@pytest.mark.parametrize(("z", "layer"), PARAMETERS.values(), ids=PARAMETERS)
def test_plain_parameters_are_weights_and_biases_of_a_layer(
    z: Callable[[Plain, Tensor], Tensor], layer: Callable[[Plain], tuple[Any, Any]]
) -> None:
    model = Plain(z)
    report = probe(model, [torch.randn(6, 4)])
    table = report.units(list(report.layers)[-1])
    with torch.no_grad():
        weight, bias = layer(model)
    for column, expected in (
        ("bias", bias),
        ("weight_norm", None if weight is None else weight.flatten(1).norm(dim=1)),
    ):
        if expected is None:
            assert table[column].isna().all(), column
        else:
            assert table[column].to_numpy() == pytest.approx(expected.detach().numpy(), rel=1e-5), column


def test_channels_are_the_units_of_a_batch_normalisation_behind_a_reshaped_layer() -> None:
    model = nn.Sequential(
        *(nn.Linear(5, 48), nn.Unflatten(1, (3, 4, 4)), nn.BatchNorm2d(3), nn.ReLU()),
        nn.Conv2d(3, 2, 1),
    )
    with torch.no_grad():
        model[2].bias[1] = -99
    table = probe(model, [torch.randn(4, 5)]).units("3")
    assert table["dead"].tolist() == [False, True, False]
    assert table["bias"].tolist() == [0, -99, 0]


def test_a_transposed_convolution_has_a_row_of_weights_for_each_of_its_outputs() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(3, 3, 2), nn.ReLU())
    table = probe(model, [torch.randn(IMAGES)]).units("1")
    expected = model[0].weight.detach().transpose(0, 1).flatten(1).norm(dim=1)
    assert table["weight_norm"].to_numpy() == pytest.approx(expected.numpy())


def test_the_sum_in_a_residual_block_has_no_bias_of_its_own() -> None:
    model = torchvision.models.resnet18(weights=None)
    report = probe(model, [torch.randn(1, 3, 32, 32)])
    assert report.units("layer2.0.relu#2")["bias"].isna().all()
    assert report.units("layer2.0.relu")["bias"].notna().all()


def test_what_is_known_of_tensors_goes_with_them() -> None:
    origins, weight = Origins(), torch.randn(3, 3)
    x = torch.randn(2, 3)
    for _ in range(100):
        x = functional.linear(x, weight)
        origins.note(functional.linear, (x, weight), {}, x)
    assert len(origins._known) == 1


def test_the_figures_of_a_layer_are_those_of_when_it_was_probed() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    report = probe(model, [torch.randn(6, 4)])
    before = report.units("1")
    with torch.no_grad():
        model[0].bias += 1
        model[0].weight *= 2
    assert report.units("1").equals(before)
