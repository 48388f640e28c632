"""The README's examples do what it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from generated_paper import ROOT
from small_study import CONFIGURATION
from torch.nn import functional

from dying_relu import probe
from dying_relu.analysis import claims
from dying_relu.analysis.claims import evidence, verdict
from dying_relu.analysis.numbers.verdicts import LETTERS
from dying_relu.configuration import parse
from dying_relu.stack import activations

README = (ROOT / "README.md").read_text(encoding="utf-8")


def example(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return next(block for block in blocks if containing in block)


@pytest.fixture
def tanh_claim() -> Iterator[str]:
    names = {**vars(claims), **vars(evidence), **vars(verdict)}
    before = set(verdict.CLAIMS)
    exec(example("python", "@claim("), names)  # noqa: S102 (our own README)
    (added,) = set(verdict.CLAIMS) - before
    yield added
    del verdict.CLAIMS[added]


def test_the_claim_is_settled(tanh_claim: str, small_study: Path) -> None:
    row = claims.settle(small_study).set_index("claim").loc[tanh_claim]
    assert row["verdict"] == claims.SUPPORTED
    assert int(tanh_claim[1:]) in LETTERS


def test_what_came_out_is_what_was_published() -> None:
    table = claims.read(ROOT / "results/published/claims.csv").set_index("claim")
    details = table["details"]
    points = {claim: round(100 * abs(effect)) for claim, effect in table["effect"].items()}
    said = " ".join(re.findall(r"\*\*What came out\*\*(.*?)\n\n", README, flags=re.DOTALL)[0].split())
    words = {1: "one claim holds", 4: "four are refuted", 8: "eight with a limit"}
    counts = table["verdict"].value_counts()
    for verdict_, count in counts.items():
        assert words[count] in said, verdict_
    assert f"rises by {points['C6']} points, and an initial bias of -4 adds {points['C7']}" in said
    assert f"{points['C4']} % of the units that were dead at some checkpoint were alive later" in said
    assert details["C4"]["SgdFirst"] == 0
    gain = round(100 * details["C10"]["GainOverRelu"][0])
    best = details["C10"]["BestOther"].split(" and ")[0]
    assert f"gains {gain} points" in said
    assert f"most often {best}, {points['C10']} more" in said
    assert table.loc["C11", "effect"] == 0
    helps = "surely helps in {Helps:g} of {Settings:g} settings and surely hurts in {Hurts:g}"
    assert helps.format(**details["C13"]) in said


def test_the_experiment_fits_into_a_configuration() -> None:
    settings = parse(CONFIGURATION.read_text() + example("yaml", "question:"))
    assert settings.experiments["smooth"].grid.size == 12


def test_the_activation_has_the_gradient_it_claims() -> None:
    functions = example("python", "softplus").split("ACTIVATIONS")[0]
    names = {**vars(activations), "functional": functional, "Tensor": torch.Tensor, "Slope": object}
    exec(functions, names)  # noqa: S102 (our own README)
    z = torch.linspace(-4, 4, 9, requires_grad=True)
    names["softplus"](z, 0.0).sum().backward()
    assert names["softplus_gradient"](torch.ones(9), z.detach(), 0.0) == pytest.approx(z.grad, abs=1e-6)


def test_the_table_can_be_read_as_shown(small_study: Path) -> None:
    code = example("python", "read_parquet").replace("results/default", str(small_study))
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 (our own README)
    assert not names["alive"].empty  # type: ignore[attr-defined]


def test_every_file_it_points_to_is_there() -> None:
    # The licence, the citation and the figure are checked by the release; these are what readers open first.
    targets = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r"`(src/[^`]+?\.py)`", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_a_training_is_watched_and_its_dead_units_revived_or_removed() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([-99.0, -99.0] + [9.0] * 6))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train(network: torch.nn.Module) -> None:
        network(torch.rand(4, 4)).sum().backward()
        optimizer.step()

    names = {
        "model": model,
        "optimizer": optimizer,
        "loader": [torch.rand(16, 4)],
        "train": train,
    }
    exec(example("python", "with Monitor"), names)  # noqa: S102 (our own README)
    assert names["monitor"].history["dead"].tolist() == [2, 2]  # type: ignore[attr-defined]
    assert probe(model, names["loader"]).dead_fraction == 0
    assert names["small"][0].out_features == 6  # type: ignore[index]
