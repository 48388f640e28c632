"""What both trees run is a part of the earlier study that this tree can read, and what they ran before leaves nothing behind."""

from pathlib import Path

import pytest

from benchmarks import data_to_pdf
from benchmarks.jobs import ROOT
from dying_relu.configuration import parse
from dying_relu.configuration.yaml import document
from dying_relu.errors import DyingReluError
from dying_relu.plan.study import plan

CONTENT = document((ROOT / "config/config.yaml").read_text(encoding="utf-8"), "the default study")


def planned(study: dict[str, object]) -> list[tuple[str, int, int]]:
    shards = plan(parse(data_to_pdf._text(study))).shards
    return [(shard.experiment, shard.steps, run.replicate) for shard in shards for run in shard.runs]


def test_the_part_has_all_that_can_be_read_once() -> None:
    experiments = CONTENT["experiments"]
    old = {**CONTENT, "experiments": {**experiments, "old": {**experiments["causes"], "pixels": "raw"}}}
    study = data_to_pdf.part(old, replicates=1)
    assert study["study"] == data_to_pdf.NAME
    assert list(study["experiments"]) == list(experiments)
    assert {replicate for _, _, replicate in planned(study)} == {0}


def test_warming_up_takes_two_steps() -> None:
    study = data_to_pdf.warm_up(data_to_pdf.part(CONTENT, replicates=1))
    assert {(name, steps) for name, steps, _ in planned(study)} == {("causes", 2), ("recovery", 2)}


def test_a_tree_that_fails_is_left_as_it_was(tmp_path: Path) -> None:
    for part in ("src/dying_relu", "benchmarks/methods", "config"):
        (tmp_path / part).mkdir(parents=True)
    tree = data_to_pdf.Tree(tmp_path)
    with pytest.raises(DyingReluError, match="the study cannot be run"):
        data_to_pdf._seconds(tree, data_to_pdf.part(CONTENT, replicates=1))
    assert not list((tmp_path / "config").iterdir())
    assert not (tmp_path / "results" / data_to_pdf.NAME).exists()
