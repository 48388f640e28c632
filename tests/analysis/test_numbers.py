"""The macros: letters only, true to their values, and honest about what is not there."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from generated_paper import CONFIGURATION

from dying_relu.analysis import numbers
from dying_relu.analysis.numbers import provenance
from dying_relu.analysis.numbers.macro import macro
from dying_relu.errors import DyingReluError
from dying_relu.theory.born_dead import born_dead_probability_one_point
from dying_relu.validation.checks import checks


def test_latex_and_json_hold_the_same_names_of_letters_only(small_paper: Path) -> None:
    lines = (small_paper / "generated" / "numbers.tex").read_text().splitlines()[1:]
    names = [re.fullmatch(r"\\newcommand\\([A-Za-z]+)\{.*\}", line)[1] for line in lines]
    assert names == list(json.loads((small_paper / "results" / "numbers.json").read_text()))
    assert len(set(names)) == len(names)


def test_counts_are_those_of_the_tables(small_paper: Path) -> None:
    values = json.loads((small_paper / "results" / "numbers.json").read_text())
    assert values["ExperimentCount"] == 6
    assert values["ReplicateCounts"] == "3 to 3"
    assert 0 < values["DivergedCount"] < values["RunCount"]
    assert values["UpdateCount"] < 64 * values["RunCount"]


def test_the_simulations_are_summed_up(small_paper: Path) -> None:
    """In the small study one check fails, and half as many networks are born dead with RAI as with He's weights."""
    values = json.loads((small_paper / "results" / "numbers.json").read_text())
    assert values["ValidationSummary"] == len(checks()) - 1
    latex = (small_paper / "generated" / "numbers.tex").read_text()
    assert (
        rf"\newcommand\ValidationSummary{{\num{{{len(checks()) - 1}}} of \num{{{len(checks())}}} agree and one does not}}"
        in latex
    )
    assert values["BornDeadRai"] == pytest.approx(values["BornDeadHe"] / 2, abs=1e-3)
    assert values["BornDeadHe"] == pytest.approx(born_dead_probability_one_point(2, 10), abs=1e-3)
    assert values["CollapseShare"] == 0.9


def test_every_verdict_is_counted_once(small_paper: Path) -> None:
    values = json.loads((small_paper / "results" / "numbers.json").read_text())
    assert sum(json.loads(values["VerdictSummary"]).values()) == 13


def test_what_was_not_measured_is_null_and_says_so() -> None:
    for form in ("percent", "points", "number", "words"):
        assert macro(None, form) == (None, r"\unmeasured{}")
    assert macro(float("nan"), "percent") == (None, r"\unmeasured{}")


def test_training_time_is_the_sum_over_jobs(small_paper: Path, tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks" / "train"
    folder.mkdir(parents=True)
    for shard, (seconds, rss) in {"a": (90.0, 512.0), "b": (60.0, 2048.0)}.items():
        text = f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:01:00\t{rss}\t-\n"
        (folder / f"{shard}.tsv").write_text(text)
    found = provenance.provenance(tmp_path, CONFIGURATION)
    assert (found["TrainingJobs"].value, found["TrainingTime"].value) == (2, 150.0)
    assert found["TrainingMemory"].latex == r"\qty{2.0}{\gibi\byte}"


def test_the_commit_says_when_files_were_modified(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "src" / "dying_relu").mkdir(parents=True)
    source = tmp_path / "src" / "dying_relu" / "x.py"
    source.write_text("x = 1\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    clean = provenance.commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{10}", clean)
    source.write_text("x = 2\n")
    assert provenance.commit(tmp_path) == f"{clean}, modified"


def test_without_a_repository_or_git_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provenance.commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit(CONFIGURATION.parent) == "unknown"


def test_the_command_is_the_one_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.command(Path("config/config.yaml")) == "make paper"
    monkeypatch.chdir(CONFIGURATION.parents[1])
    assert provenance.command(CONFIGURATION) == "snakemake --cores all --configfile config/smoke.yaml"


def test_another_kind_of_file_is_refused_before_anything_is_written(
    small_paper: Path, tmp_path: Path
) -> None:
    with pytest.raises(DyingReluError, match=r"a \.json or a \.tex file"):
        numbers.write(small_paper / "results", CONFIGURATION, tmp_path / "n.json", tmp_path / "n.txt")
    assert not list(tmp_path.iterdir())


def test_without_verdicts_it_says_what_to_do(small_study: Path, tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="dying-relu claims"):
        numbers.write(small_study, CONFIGURATION, tmp_path / "n.json")
