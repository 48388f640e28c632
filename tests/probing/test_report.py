"""What a report says of each layer and unit is what plain arithmetic on the pre-activations gives; its page needs nothing else."""

import re
from pathlib import Path

import pytest
import torch
from sick_models import batches, model
from torch import nn
from torch.nn import functional

from dying_relu import probe
from dying_relu.probing.html import MOST_ROWS


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
