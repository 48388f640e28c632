"""The comparison of probes counts fairly, and the README shows the tracked table."""

from pathlib import Path

import pandas as pd

from benchmarks import probes

ROOT = Path(__file__).parents[2]


def test_ours_finds_all_and_invents_none_and_functions_hide_from_module_hooks() -> None:
    case = probes.cases()["MLP, functions"]
    dead = sum(case.truth.values())
    assert dead >= 26
    assert probes._score(probes.ours(case), case.truth) == (dead, 0)
    assert probes._score(probes.with_torchdiag(case), case.truth) == (0, 0)
    assert probes._score(probes.with_dead_relu_viz(case), case.truth) == (dead, 0)
    assert probes._score(probes.share_of_zeros(case), case.truth) == (0, 0)


def test_what_is_reported_beyond_the_truth_is_invented() -> None:
    assert probes._score({"a": 3, "b": 1, "elsewhere": 2}, {"a": 2, "b": 4}) == (3, 3)


def test_the_readme_shows_the_tracked_table() -> None:
    table = probes.PROBES.validate(pd.read_csv(ROOT / "results/published/performance/probes.csv"))
    assert probes.markdown(table) in (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
