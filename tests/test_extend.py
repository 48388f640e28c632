"""The examples of ``docs/extend.md`` run as they stand: a study that names all of them is planned and trained."""

import re
from pathlib import Path
from typing import Any

import extended_study
import pytest
import torch

from dying_relu.stack.normalisation import NORMALISATIONS
from dying_relu.stack.optimisers import Parameter

PAGE = (Path(__file__).parents[1] / "docs" / "extend.md").read_text(encoding="utf-8")
OF_STUDIES = PAGE.partition("## A remedy")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", OF_STUDIES, flags=re.DOTALL)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    modules = dict(
        re.findall(r"^In \*(\w+)\.py\*:\n\n```python\n(.*?)```", OF_STUDIES, flags=re.DOTALL | re.MULTILINE)
    )
    assert list(modules.values()) == blocks("python")
    (study,) = blocks("yaml")
    return extended_study.run(tmp_path_factory.mktemp("extended"), modules, study)


def test_every_heading_of_a_thing_a_study_names_has_its_example() -> None:
    headings = re.findall(r"^## An? (.*)", OF_STUDIES, flags=re.MULTILINE)
    assert len(headings) == len(blocks("python")) + len(blocks("yaml")) == 9


def test_the_study_is_planned_with_the_examples(found: dict[str, Any]) -> None:
    assert "Does a smooth flat side change when units die?" in found["plan"]
    for cell in ("`bottleneck`", "`sign_sgd`", "`negated`", "`shrink`", "`none`, `batch`, `layer`, `rms`"):
        assert cell in found["keys"]


def test_the_examples_train(found: dict[str, Any]) -> None:
    (layers,) = found["dead"].values()
    units = {(row["run"], row["layer"]): row["units"] for row in layers}
    assert sorted(units.values()) == 8 * [2] + 16 * [16]
    assert all(0 <= row["dead"] <= row["units"] for row in layers)


def test_the_softplus_has_the_gradient_it_claims() -> None:
    (text,) = (block for block in blocks("python") if "softplus" in block)
    names: dict[str, Any] = {}
    exec(text.partition("ACTIVATIONS.add")[0], names)  # noqa: S102 (our own page)
    z = torch.linspace(-4, 4, 9, requires_grad=True)
    names["softplus"](z, 0.0).sum().backward()
    assert names["softplus_gradient"](torch.ones(9), z.detach(), 0.0) == pytest.approx(z.grad, abs=1e-6)


class Kept:
    """Takes gradients and changes nothing."""

    def add(self, parameter: Parameter, gradient: torch.Tensor) -> None: ...


def test_the_normalisation_has_the_gradient_it_claims() -> None:
    (text,) = (block for block in blocks("python") if '"rms"' in block)
    try:
        exec(text, {})  # noqa: S102 (our own page)
        layer = NORMALISATIONS["rms"](2, 5, torch.device("cpu"))
    finally:
        NORMALISATIONS.pop("rms", None)
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 5, 7, generator=generator, requires_grad=True)
    delta = torch.randn(2, 5, 7, generator=generator)
    layer.forward(z).backward(delta)
    with torch.no_grad():
        layer.forward(z)
        gradient = layer.backward(delta, Kept())  # type: ignore[arg-type]
    torch.testing.assert_close(gradient, z.grad)
