"""The page on the tables is up to date, and its descriptions agree with the constants that they name."""

from pathlib import Path

import pytest

from dying_relu.commands import reference
from dying_relu.results import schemas
from dying_relu.results.simulation_schemas import SIMULATIONS
from dying_relu.training.effective_rank import RANK_TOLERANCE
from dying_relu.training.measurement import EXAMPLES_FOR_QUANTILES
from dying_relu.training.rows import FLAGS_OF_UNITS
from dying_relu.units.definitions import DORMANT_TAUS

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
EXAMPLES = ("probe set", "all training examples", "all test examples", "minibatch")
TABLES = schemas.TABLES | SIMULATIONS


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    reference.table_docs(tmp_path / "tables.md")
    written = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, "out of date: run `dying-relu table-docs`"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_described_in_a_sentence(name: str) -> None:
    for column in TABLES[name].columns.values():
        assert column.description, column.name
        assert column.description.endswith("."), column.name
        assert column.description[0].isupper() or column.description[0].isdigit(), column.name
        assert "|" not in column.description, column.name


@pytest.mark.parametrize("name", ["runs", "layers", "units"])
def test_what_is_measured_says_on_which_examples(name: str) -> None:
    words = ("dead", "inactive", "saturated", "dormant", "accuracy", "loss", "pre_activation")
    for column in TABLES[name].columns.values():
        if any(word in column.name for word in words) and column.name != "loss_function":
            assert any(examples in column.description for examples in EXAMPLES), column.name


def test_descriptions_name_the_thresholds_that_are_used() -> None:
    for column, tau in DORMANT_TAUS.items():
        for table, ending in (("runs", "_fraction"), ("layers", "")):
            assert f" {tau:g}-dormant " in TABLES[table].columns[f"{column}{ending}"].description
    assert f" {DORMANT_TAUS['dormant_0']:g}-dormant " in TABLES["units"].columns["dormant_0"].description
    assert set(FLAGS_OF_UNITS) <= set(TABLES["units"].columns)
    quantiles = [name for name in TABLES["units"].columns if name.startswith("pre_activation_q")]
    for name in (*quantiles, "pre_activation_median"):
        assert f"first {EXAMPLES_FOR_QUANTILES} examples" in TABLES["units"].columns[name].description
    rank = TABLES["runs"].columns["effective_rank"].description
    assert f" {1 - RANK_TOLERANCE:g} " in rank
