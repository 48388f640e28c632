"""What a study keeps of its shards' tables says what the whole tables say: every verdict, effect and detail."""

import json
from typing import Any

import pandas as pd
import planted_findings
import planted_study
import pytest
from small_evidence import SmallResults
from small_study import small_tables

from dying_relu.analysis import claims, sensitivity
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.tables import deaths
from dying_relu.results import kept as keeping
from dying_relu.results import schemas
from dying_relu.results.kept import kept

Tables = dict[str, pd.DataFrame]
STUDIES = {
    "small": small_tables,
    "claims": lambda: planted_study.tables_of(planted_study.PLANTED),
    "findings": lambda: planted_findings.tables_of(planted_findings.PLANTED),
}
LAST_DIGIT = 5e-4
"""Half of the last digit of a share as the paper prints it, a tenth of a point: what rounding may change."""
IDS = [one.id for one in (*claims.ordered(), *claims.ordered_findings())]


@pytest.fixture(scope="module", params=STUDIES)
def pair(request: pytest.FixtureRequest) -> tuple[SmallResults, SmallResults]:
    """A study from whole tables, and from those that it keeps."""
    whole: Tables = STUDIES[request.param]()
    reduced = {name: kept(name, table, whole["runs"]) for name, table in whole.items()}
    return SmallResults(whole), SmallResults(reduced)


def test_verdicts_effects_and_details_are_those_of_the_whole_tables(
    pair: tuple[SmallResults, SmallResults],
) -> None:
    whole, reduced = (settled_by(Evidence(study), IDS) for study in pair)
    numbers = whole.select_dtypes(float).columns.to_list()
    words = whole.columns.difference([*numbers, "cells", "details"]).to_list()
    pd.testing.assert_frame_equal(reduced[words], whole[words])
    pd.testing.assert_frame_equal(
        reduced[numbers], whole[numbers], check_exact=False, rtol=0, atol=LAST_DIGIT
    )
    for name in ("cells", "details"):
        for of_reduced, of_whole in zip(reduced[name], whole[name], strict=True):
            assert _leaves(json.loads(of_reduced)) == _nearly(_leaves(json.loads(of_whole)))


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Numbers and words of a JSON value by their path."""
    if not isinstance(value, dict | list):
        return {path: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {key: leaf for name, part in pairs for key, leaf in _leaves(part, f"{path}/{name}").items()}


def _nearly(leaves: dict[str, Any]) -> dict[str, Any]:
    return {
        key: pytest.approx(leaf, rel=0, abs=LAST_DIGIT, nan_ok=True) if isinstance(leaf, float) else leaf
        for key, leaf in leaves.items()
    }


def test_verdicts_by_other_definitions_are_those_of_the_whole_tables(
    pair: tuple[SmallResults, SmallResults],
) -> None:
    whole, reduced = (sensitivity.verdicts(study) for study in pair)
    pd.testing.assert_frame_equal(reduced, whole)


def test_the_table_of_deaths_is_that_of_the_whole_tables(pair: tuple[SmallResults, SmallResults]) -> None:
    whole, reduced = (deaths.table(study) for study in pair)
    assert reduced == whole


def test_something_is_left_out_and_only_what_may_be(pair: tuple[SmallResults, SmallResults]) -> None:
    _, reduced = pair
    numbers = [sum(int(study.table(name).count().sum()) for name in schemas.TABLES) for study in pair]
    assert numbers[1] < numbers[0]
    for name, schema in schemas.TABLES.items():
        table = reduced.table(name)
        assert list(table.columns) == list(schema.columns)
        may_be = {column for column in schema.columns if schema.columns[column].nullable}
        missing = {column for column in table if table[column].isna().any()}
        assert missing <= may_be | set(keeping.MAY_BE_MISSING.get(name, ()))


def test_every_curvature_is_kept() -> None:
    tables = small_tables()
    checkpoints = tables["checkpoints"]
    usual = kept("checkpoints", checkpoints, tables["runs"])
    dropped = checkpoints.index.difference(usual.index)
    checkpoints.loc[dropped[:3], "largest_curvature"] = 1.0
    with_curvatures = kept("checkpoints", checkpoints, tables["runs"])
    assert set(with_curvatures.index) == {*usual.index, *dropped[:3]}


def test_units_of_experiments_that_no_rule_names_stay_whole() -> None:
    tables = small_tables()
    runs = tables["runs"].assign(experiment="one_of_yours")
    pd.testing.assert_frame_equal(kept("units", tables["units"], runs), tables["units"])
