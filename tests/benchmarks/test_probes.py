"""The comparison of probes counts fairly, and the README shows the tracked table."""

import functools
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import probe_cases, probe_methods, probes

ROOT = Path(__file__).parents[2]
cases = functools.cache(probe_cases.cases)
"""The cases, made by the first test that needs them, not wherever this file is collected."""
STUDYS = [f"the study's CNN 8-16-32, {images}, batch 50" for images in ("MNIST", "CIFAR-10")]
SMALL = ["MLP", "CNN", *STUDYS, "transformer", "shared head", "top-k autoencoder"]


def test_ours_finds_all_and_invents_none_and_functions_hide_from_module_hooks() -> None:
    case = cases()["MLP, functions"]
    dead = sum(case.truth.values())
    assert dead >= 26
    assert probes._score(probe_methods.ours(case), case.truth) == (dead, 0)
    assert probes._score(probe_methods.with_torchdiag(case), case.truth) == (0, 0)
    assert probes._score(probe_methods.with_dead_relu_viz(case), case.truth) == (dead, 0)
    assert probes._score(probe_methods.share_of_zeros(case), case.truth) == (0, 0)


@pytest.mark.parametrize("name", SMALL)
def test_ours_finds_all_and_invents_none(name: str) -> None:
    case = cases()[name]
    assert sum(case.truth.values()) > 0
    assert probes._score(probe_methods.ours(case), case.truth) == (sum(case.truth.values()), 0)


def test_the_networks_of_the_study_are_among_the_cases() -> None:
    assert [name for name in cases() if name.startswith("the study's")] == STUDYS
    case = cases()[STUDYS[1]]
    assert [list(batch.shape) for batch in case.batches[:1]] == [[50, 3, 32, 32]]
    assert list(case.feeders.values()) == ["1", "4", "8"]


def test_calls_of_a_shared_head_are_invented_deaths_where_each_is_a_layer() -> None:
    case = cases()["shared head"]
    assert case.calls == ["head.1"] * 3
    dead = sum(case.truth.values())
    found, invented = probes._score(probe_methods.with_keras_contrib(case), case.truth)
    assert found == dead
    assert invented > dead


def test_units_that_never_pass_a_top_k_are_not_seen_at_the_relu() -> None:
    case = cases()["top-k autoencoder"]
    found, _ = probes._score(probe_methods.with_keras_contrib(case), case.truth)
    assert found < sum(case.truth.values())


def test_torchlens_finds_functions() -> None:
    pytest.importorskip("torchlens")
    case = cases()["MLP, functions"]
    assert probes._score(probe_methods.with_torchlens(case), case.truth) == (sum(case.truth.values()), 0)


def test_packages_that_are_not_installed_are_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe_methods, "find_spec", lambda name: None)
    assert "dying_relu" in (methods := probe_methods.installed_methods())
    assert "torchlens" not in methods
    assert "torchlens is not installed and left out" in capsys.readouterr().out


def test_a_method_that_fails_is_left_without_counts(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(case: probe_cases.Case) -> probe_cases.Counts:
        raise KeyError("relu")

    assert probes._counts("MLP", "broken", broken, cases()["MLP"]) is None
    assert "broken fails on MLP: KeyError" in capsys.readouterr().out


def test_what_is_reported_beyond_the_truth_is_invented() -> None:
    assert probes._score({"a": 3, "b": 1, "elsewhere": 2}, {"a": 2, "b": 4}) == (3, 3)


def test_the_readme_shows_the_tracked_table() -> None:
    table = probes.PROBES.validate(pd.read_csv(ROOT / "results/published/performance/probes.csv"))
    assert probes.markdown(table) in (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
