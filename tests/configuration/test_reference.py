"""The schema and the table of keys say what the configuration's model says."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dying_relu.configuration import load, reference
from dying_relu.errors import DyingReluError

CONFIG = Path(__file__).parents[2] / "config"
REMEDY = "out of date: run `dying-relu config-docs`"


def test_the_schema_is_up_to_date() -> None:
    assert (CONFIG / "schema.json").read_text(encoding="utf-8") == reference.schema(), REMEDY


def test_the_table_of_keys_is_up_to_date() -> None:
    readme = (CONFIG / "README.md").read_text(encoding="utf-8")
    assert readme == reference.with_keys(readme), REMEDY


def test_every_key_is_explained() -> None:
    readme = (CONFIG / "README.md").read_text(encoding="utf-8")
    rows = readme.split(reference.START)[1].split(reference.END)[0].strip().splitlines()[2:]
    assert len(rows) > 40
    for row in rows:
        key, value, default, meaning = (cell.strip() for cell in row.strip("|").split(" | "))
        assert key
        assert value
        assert default
        assert meaning.endswith("."), f"{key} has no meaning"


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_the_studies_are_valid(path: Path) -> None:
    study = load(path)
    assert set(study.experiments) >= {"causes", "optimisers", "slopes", "remedies", "recovery", "anatomy"}
    assert {"mnist", "cifar10"} <= set(study.datasets)
    assert {architecture.kind for architecture in study.architectures.values()} == {"mlp", "cnn"}


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_accepts_the_studies(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(YAML(typ="safe", pure=True).load(path), json.loads(reference.schema()))


def test_a_readme_without_its_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Studies\n", encoding="utf-8")
    with pytest.raises(DyingReluError, match="has lost the marks"):
        reference.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
