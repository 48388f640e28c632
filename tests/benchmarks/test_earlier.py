"""Another source tree's engine is measured in processes of its own; here the other tree is this one."""

from pathlib import Path

import pytest

from benchmarks.cases import CASES, of_study
from benchmarks.contestants import EARLIER, QUICK, Contestant, Layout, contestants
from benchmarks.earlier import EarlierTeam, Tree
from benchmarks.jobs import ROOT
from dying_relu.errors import DyingReluError


@pytest.mark.slow
def test_a_tree_trains_at_the_stack_that_it_chooses() -> None:
    cases = [CASES["mlp-sgd-relu"], next(iter(of_study().values()))]
    tree = Tree(ROOT)
    found = tree.contestants(cases, Layout(2, 1))
    for case in cases:
        (ours,) = [one for one in contestants(case, QUICK, "cpu", 2, ["float32"]) if one.chosen]
        assert found[case.name] == Contestant(case, tree.method, ours.layout, ours.stack, chosen=True)
    team = EarlierTeam(tree, Layout(2, 1))
    team.prepare(found[cases[0].name])
    assert team.measure(found[cases[0].name], 0.02) > 0
    team.close()


def test_a_tree_is_named_after_its_commit_or_its_folder(tmp_path: Path) -> None:
    for part in ("src/dying_relu", "benchmarks/methods"):
        (tmp_path / part).mkdir(parents=True)
    assert Tree(tmp_path).method == EARLIER + tmp_path.name


def test_a_folder_that_is_no_source_tree_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="no source tree of this project"):
        Tree(tmp_path)
