"""The examples of ``docs/extend.md`` of what the paper prints: each is found, and does what the page says."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import CONFIGURATION

from dying_relu.analysis import claims, figures, numbers, tables
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.analysis.numbers.verdicts import LETTERS
from dying_relu.extensions import VARIABLE
from dying_relu.results import provenance

PAGE = (Path(__file__).parents[2] / "docs" / "extend.md").read_text(encoding="utf-8")
KINDS = ("figure", "table", "number", "claim")


def example(kind: str) -> tuple[str, str]:
    """The name of its module, and the text."""
    section = PAGE.partition(f"## A {kind}\n")[2].partition("\n## ")[0]
    (module_and_text,) = re.findall(r"In \*(\w+)\.py\*:\n\n```python\n(.*?)```", section, flags=re.DOTALL)
    return module_and_text


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    modules = dict(map(example, KINDS))
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, ",".join(modules))
    yield
    CLAIMS.pop("C14", None)
    for name in modules:
        sys.modules.pop(name, None)


def test_the_examples_are_drawn_settled_and_written(
    examples: None, small_study: Path, tmp_path: Path
) -> None:
    results = shutil.copytree(small_study, tmp_path / "results")
    provenance.record(results, CONFIGURATION, results / provenance.NAME)
    assert "loss_by_rate" in figures.names()
    figures.draw("loss_by_rate", results, tmp_path / "figure.pdf")
    assert (tmp_path / "figure.png").is_file()
    claims.write(claims.settle(results), results / "claims.csv")
    verdict = claims.read(results / "claims.csv").set_index("claim").loc["C14"]
    # Three seeds settle nothing.
    assert (verdict["verdict"], verdict["effect"]) == (claims.NOT_SETTLED, 0)
    assert 14 in LETTERS
    tables.write(results, CONFIGURATION, tmp_path / "tables")
    assert "networks" in (tmp_path / "tables" / "networks_by_experiment.tex").read_text(encoding="utf-8")
    numbers.write(results, CONFIGURATION, tmp_path / "numbers.json")
    values = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert values["WideRunCount"] > 0
    assert values["ClaimFourteenNetworks"] == verdict["n"]
