"""Two reports of a model: the units that died, were revived or woke are those that did, however the comparison is shown."""

from pathlib import Path

import pytest
import torch
from sick_models import batches, model
from torch import nn

from dying_relu import Report, compare, probe, revive
from dying_relu.errors import DyingReluError
from dying_relu.probing.compare import Comparison


def three_changes() -> Comparison:
    """Of layer 1: units 0 to 4 are dead, two of them revived by another bias; of layer 3 one wakes, since its inputs grow, and one dies."""
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = -100
        network[2].weight[0], network[2].bias[0] = 0.1, -50.0
    before = probe(network, batches())
    with torch.no_grad():
        network[0].bias[:2] = 1
        network[0].bias[5:] += 60
        network[2].weight[1], network[2].bias[1] = -1.0, 0.0
    return compare(before, probe(network, batches()))


def test_each_unit_has_its_change() -> None:
    comparison = three_changes()
    changes = {(row.layer, row.unit): row.change for row in comparison.units.itertuples()}
    assert {unit: change for unit, change in changes.items() if unit[0] == "1"} == {
        ("1", 0): "revived",
        ("1", 1): "revived",
    }
    assert changes["3", 0] == "woke"
    assert changes["3", 1] == "died"


def test_the_counts_add_up() -> None:
    layers = three_changes().layers
    assert (
        layers["dead_before"] + layers["died"] - layers["revived"] - layers["woke"] == layers["dead_after"]
    ).all()


def test_a_report_and_itself_differ_in_nothing() -> None:
    report = probe(model(), batches())
    comparison = compare(report, report)
    assert comparison.units.empty
    assert "0 died, 0 revived, 0 woke" in str(comparison)


def test_more_data_wake_units_without_reviving_them() -> None:
    network = model()
    with torch.no_grad():
        network[0].bias.fill_(-2.5)
    few, many = batches(), [(images * 3, labels) for images, labels in batches()]
    comparison = compare(probe(network, few), probe(network, many))
    assert comparison.layers["woke"].sum() > 0
    assert comparison.layers["revived"].sum() == 0


def test_revive_shows_in_a_comparison() -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = -100
    before = probe(network, batches())
    revive(network, before)
    comparison = compare(before, probe(network, batches()))
    assert comparison.layers["revived"].tolist() == [5, 0]


def test_it_is_printed_in_80_columns_and_as_markdown_and_html(tmp_path: Path) -> None:
    comparison = three_changes()
    assert max(map(len, str(comparison).splitlines())) <= 80
    assert "| 1 | 20 | 5 | 3 | 0 | 2 | 0 |" in comparison.to_markdown()
    comparison.to_html(tmp_path / "compared.html")
    page = (tmp_path / "compared.html").read_text()
    assert comparison.headline in page
    assert "<td>woke</td>" in page
    assert comparison.headline in comparison._repr_html_()
    assert len(repr(comparison)) < 150


def test_layers_without_a_counterpart_are_named() -> None:
    longer = nn.Sequential(*model(), nn.ReLU())
    pruned = model()
    pruned[2], pruned[4] = nn.Linear(20, 19), nn.Linear(19, 3)
    comparison = compare(probe(longer, batches()), probe(pruned, batches()))
    assert comparison.not_compared == {
        "5": "only the first report has it",
        "3": "it has 19 units after 20",
    }
    assert "3: not compared, since it has 19 units after 20." in str(comparison)


def test_reports_of_different_models_are_refused() -> None:
    other = nn.Sequential(nn.Linear(6, 3), nn.Tanh())
    with pytest.raises(DyingReluError, match="no layer in common"):
        compare(probe(model(), batches()), probe(nn.Sequential(nn.Identity(), *other), batches()))


def test_saved_reports_compare_like_those_in_memory(tmp_path: Path) -> None:
    network = model()
    before = probe(network, batches())
    with torch.no_grad():
        network[0].bias[:5] = -100
    after = probe(network, batches())
    for name, report in (("before", before), ("after", after)):
        report.save(tmp_path / f"{name}.json")
    loaded = compare(*(Report.load(tmp_path / f"{name}.json") for name in ("before", "after")))
    assert loaded.to_markdown() == compare(before, after).to_markdown()
