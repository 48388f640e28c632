"""What a report says of each layer and unit is what plain arithmetic on the pre-activations gives; its page needs nothing else."""

import math
import re
import warnings
from pathlib import Path

import pytest
import torch
from sick_models import batches, model
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.probing.columns import SUMMARY, UNITS
from dying_relu.probing.html import MOST_ROWS
from dying_relu.probing.text import markdown


def test_the_units_are_described_as_a_plain_computation_does() -> None:
    network = model()
    inputs = torch.cat([images for images, _ in batches()])
    z = network[0](inputs).detach()
    table = probe(network, batches()).units("1")
    assert table["pre_activation_mean"].to_numpy() == pytest.approx(z.mean(0).numpy(), abs=1e-6)
    assert table["pre_activation_max"].to_numpy() == pytest.approx(z.amax(0).numpy())
    assert table["pre_activation_min"].to_numpy() == pytest.approx(z.amin(0).numpy())
    assert table["mean_abs_activation"].to_numpy() == pytest.approx(z.relu().mean(0).numpy(), abs=1e-6)
    assert table["bias"].to_numpy() == pytest.approx(network[0].bias.detach().numpy())
    assert table["weight_norm"].to_numpy() == pytest.approx(network[0].weight.detach().norm(dim=1).numpy())


def test_gradients_are_those_of_autograd() -> None:
    network = model()
    report = probe(network, batches(), loss=functional.cross_entropy)
    gradients = []
    for images, labels in batches():
        z = network[0](images)
        z.retain_grad()
        functional.cross_entropy(network[1:](z), labels).backward()
        gradients.append(z.grad)
    found = torch.cat(gradients)
    assert report.units("1")["gradient_norm"].to_numpy() == pytest.approx(found.norm(dim=0).numpy(), abs=1e-7)
    assert report.summary()["mean_gradient"][0] == pytest.approx(float(found.abs().mean()), rel=1e-5)


def test_without_a_loss_there_is_no_gradient() -> None:
    report = probe(model(), batches())
    assert report.summary()["mean_gradient"].isna().all()
    assert report.units("1")["gradient_norm"].isna().all()


def test_the_scale_of_the_inputs_is_that_of_all_batches() -> None:
    scale = probe(model(), batches(scale=7.0, mean=3.0)).inputs
    inputs = torch.cat([images for images, _ in batches(scale=7.0, mean=3.0)])
    assert scale.mean == pytest.approx(float(inputs.mean()), rel=1e-5)
    assert scale.deviation == pytest.approx(float(inputs.std(correction=0)), rel=1e-5)
    assert (scale.low, scale.high) == (float(inputs.min()), float(inputs.max()))


def test_the_figure_has_a_row_for_every_layer() -> None:
    left, right = probe(model(), batches()).plot().axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["1", "3"]
    assert sum(len(dots.get_offsets()) for dots in right.collections) == 40


def test_the_page_stands_alone_and_says_what_the_report_says(tmp_path: Path) -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = -100
    report = probe(network, batches())
    report.to_html(tmp_path / "dead.html")
    page = (tmp_path / "dead.html").read_text()
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttpRequest|import\(", page)
    assert "1: 5 of 20 dead" in page
    assert "12.5% of the units are dead" in page


def test_names_of_layers_are_no_markup(tmp_path: Path) -> None:
    network = nn.Sequential()
    network.add_module("<b>bold</b>", nn.ReLU())
    probe(network, [torch.randn(4, 3)]).to_html(tmp_path / "page.html")
    assert "<b>bold</b>" not in (tmp_path / "page.html").read_text()


def test_a_page_says_how_many_units_it_leaves_out(tmp_path: Path) -> None:
    probe(nn.Sequential(nn.ReLU()), [torch.randn(4, MOST_ROWS + 7)]).to_html(tmp_path / "page.html")
    assert "7 more units" in (tmp_path / "page.html").read_text()


def test_the_old_name_of_the_histories_warns() -> None:
    report = probe(model(), batches())
    with pytest.warns(DeprecationWarning, match=r"Report\.lives is deprecated .* use Report\.histories"):
        assert report.lives is report.histories


def sick() -> tuple[nn.Sequential, list[Tensor]]:
    """A network of which some units are dead, some nearly, and inputs with an offset."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(20, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 2))
    with torch.no_grad():
        network[0].bias -= 1.6
        network[2].bias[:10] = -5
    return network, [torch.randn(100, 20) + 0.5 for _ in range(5)]


def test_it_is_printed_in_80_columns_with_the_dead_and_the_estimate() -> None:
    report = probe(*sick())
    printed = str(report)
    assert max(map(len, printed.splitlines())) <= 80
    assert f"of these {report.summary()['dead'].sum()} would wake on 5,000 more" in " ".join(printed.split())
    assert "dead" in printed.splitlines()[2]
    assert len(repr(report)) < 100


def test_a_deep_model_is_printed_by_its_worst_layers_in_their_order() -> None:
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(30)]
    network = nn.Sequential(*layers)
    with torch.no_grad():
        network[25][0].bias.fill_(-100)
        network[3][0].bias[:6] = -100
    printed = str(probe(network, [torch.randn(64, 8)]))
    assert len(printed.splitlines()) < 30
    assert printed.index("\n3.1") < printed.index("\n25.1")
    assert "10 more layers" in printed


def test_long_names_lose_their_middle() -> None:
    network = nn.Sequential(nn.Sequential())
    inner = network
    for depth in range(30):
        inner.add_module(f"block{depth}", nn.Sequential())
        inner = inner.get_submodule(f"block{depth}")
    inner.add_module("activation", nn.ReLU())
    printed = str(probe(network, [torch.randn(16, 3)]))
    assert max(map(len, printed.splitlines())) <= 80
    assert "block29.activation" in printed
    assert "block0.blo..." in printed


def test_a_notebook_shows_the_top_of_the_page() -> None:
    report = probe(*sick())
    shown = report._repr_html_()
    assert len(shown) < 20_000
    assert "would wake on 5,000 more" in shown
    assert "<td>1</td>" in shown


def test_nothing_warns_where_everything_is_dead_or_nothing_is_known(tmp_path: Path) -> None:
    network = model()
    with torch.no_grad():
        network[0].bias.fill_(-100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for report in (probe(network, batches()), probe(nn.Sequential(nn.ReLU()), [-torch.ones(4, 3)])):
            report.to_html(tmp_path / "page.html")
            assert "dead" in str(report)
            assert report.advice()


def test_the_page_names_model_data_versions_and_columns(tmp_path: Path) -> None:
    report = probe(*sick())
    report.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Sequential · 500 examples in 5 batches" in page
    assert f"dying-relu {report.provenance.version} · PyTorch {torch.__version__}" in page
    assert report.provenance.date[:10] in page
    assert {name for name in report.units("1") if name not in UNITS} == set()
    assert {name for name in report.summary() if name not in SUMMARY} == set()
    assert "prefers-color-scheme: dark" in page


def test_the_page_of_a_resnet_50_is_below_a_megabyte(tmp_path: Path) -> None:
    torch.manual_seed(0)
    probe(torchvision.models.resnet50(), [torch.randn(2, 3, 64, 64)]).to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1_000_000


def test_the_estimate_is_fishers_on_units_active_once() -> None:
    report = probe(*sick())
    once, dead = 0, 0
    for name in report.layers:
        units = report.units(name)
        once, dead = once + int((units["active_examples"] == 1).sum()), dead + int(units["dead"].sum())
    estimate = report.expected_alive(500)
    assert estimate is not None
    assert (estimate.dead, estimate.examples, estimate.more) == (dead, 500, 500)
    assert estimate.expected == pytest.approx(once * math.log(2))


def test_the_estimate_counts_examples_and_not_positions() -> None:
    """One channel is active at many positions of a single image: Fisher's law sees it once."""
    network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.copy_(torch.tensor([0.5, -1.5, -100.0]))
    images = torch.zeros(10, 1, 4, 4)
    images[0, 0, :2] = 2
    report = probe(network, [images])
    assert report.units("1")["active_examples"].tolist() == [10, 1, 0]
    estimate = report.expected_alive(10)
    assert estimate is not None
    assert estimate.expected == pytest.approx(math.log(2))


def test_the_estimate_is_not_of_units_that_are_alive_while_inactive() -> None:
    estimate = probe(nn.Sequential(nn.LeakyReLU()), [-torch.ones(4, 3)]).expected_alive(10)
    assert estimate is None


def test_the_offset_share_is_that_of_the_layers_inputs() -> None:
    network, data = sick()
    summary = probe(network, data).summary().set_index("layer")
    inputs = torch.cat(data)
    hidden = network[1](network[0](inputs)).detach()
    for layer, fed in (("1", inputs), ("3", hidden)):
        expected = float(fed.mean(0).square().sum() / fed.square().sum(1).mean())
        assert summary.loc[layer, "offset_share"] == pytest.approx(expected, rel=1e-4)


def test_the_offset_share_of_a_convolution_is_that_of_its_channels() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    images = torch.randn(8, 3, 9, 9) + torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    rows = images.movedim(1, -1).flatten(0, -2)
    expected = float(rows.mean(0).square().sum() / rows.square().sum(1).mean())
    summary = probe(network, [images]).summary()
    assert summary["offset_share"][0] == pytest.approx(expected, rel=1e-4)


def test_centring_does_to_the_largest_pre_activation_what_the_page_says() -> None:
    network, data = sick()
    inputs = torch.cat(data)
    centred = network[0](inputs - inputs.mean(0)).detach().amax(0)
    assert probe(network, data).units("1")["centred_max"].to_numpy() == pytest.approx(
        centred.numpy(), abs=1e-4
    )


def test_what_centring_would_do_is_not_told_behind_a_normalisation() -> None:
    network = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU())
    assert probe(network, batches()).units("2")["centred_max"].isna().all()


def test_nearly_dead_units_are_alive_and_active_on_less_than_2_per_cent() -> None:
    units = probe(*sick()).units("1")
    expected = ~units["dead"] & (units["active_share"] < 0.02)
    assert units["nearly_dead"].tolist() == expected.tolist()
    assert units["nearly_dead"].any()


def test_a_unit_that_was_infinite_is_not_dead() -> None:
    network = nn.Sequential(nn.Linear(1, 3), nn.ReLU())
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([[3e38], [1.0], [-1.0]])
        network[0].bias.zero_()
    table = probe(network, [torch.tensor([[-100.0], [-1.0]])]).units("1")
    assert table["not_finite"].tolist() == [True, False, False]
    assert table["dead"].tolist() == [False, True, False]


def test_markdown_escapes_names_and_folds_the_advice() -> None:
    network = nn.Sequential()
    network.add_module("a|b_c", nn.ReLU())
    written = markdown(probe(network, [-torch.ones(4, 3)]))
    assert "| a\\|b\\_c | 3 | 3 |" in written
    assert "<details>" in written
