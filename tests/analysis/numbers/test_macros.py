"""The macros: letters only, true to their values, and honest about what is not there."""

import json
import re
import shutil
from pathlib import Path

import pytest
from small_study import CONFIGURATION, GRIDS

from dying_relu.analysis import numbers, tables
from dying_relu.analysis.numbers.macro import macro
from dying_relu.errors import DyingReluError
from dying_relu.results import provenance
from dying_relu.simulations.checks import checks
from dying_relu.theory.born_dead import born_dead_probability_one_point


def test_latex_and_json_hold_the_same_names_of_letters_only(small_paper: Path) -> None:
    lines = (small_paper / "generated" / "numbers.tex").read_text().splitlines()[1:]
    names = [re.fullmatch(r"\\newcommand\\([A-Za-z]+)\{.*\}", line)[1] for line in lines]
    assert names == list(json.loads((small_paper / "results" / "numbers.json").read_text()))
    assert len(set(names)) == len(names)


def test_counts_are_those_of_the_tables(small_paper: Path) -> None:
    values = json.loads((small_paper / "results" / "numbers.json").read_text())
    assert values["ExperimentCount"] == len(GRIDS)
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


def test_a_detail_with_an_interval_is_printed_with_its_ends(small_paper: Path) -> None:
    values = json.loads((small_paper / "results" / "numbers.json").read_text())
    latex = (small_paper / "generated" / "numbers.tex").read_text()
    printed = re.search(r"\\newcommand\\ClaimElevenGain\{(.*)\}", latex)[1]
    estimate, low, high = (float(number) for number in re.findall(r"\\num\{(.*?)\}", printed))
    assert re.fullmatch(r"\\num\{\S+\} points \[\\num\{\S+\}, \\num\{\S+\}\]", printed)
    assert low < estimate < high
    assert estimate == pytest.approx(100 * values["ClaimElevenGain"], abs=0.5)


def test_another_kind_of_file_is_refused_before_anything_is_written(
    small_paper: Path, tmp_path: Path
) -> None:
    with pytest.raises(DyingReluError, match=r"a \.json or a \.tex file"):
        numbers.write(small_paper / "results", CONFIGURATION, tmp_path / "n.json", tmp_path / "n.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [numbers.write, tables.write])
def test_another_configuration_than_the_studys_is_refused(write, small_paper: Path, tmp_path: Path) -> None:
    other = CONFIGURATION.with_name("config.yaml")
    with pytest.raises(DyingReluError, match=r"config\.yaml is not the configuration of the study in"):
        write(small_paper / "results", other, tmp_path / "out.tex")
    assert not list(tmp_path.iterdir())


def test_without_verdicts_it_says_what_to_do(small_study: Path, tmp_path: Path) -> None:
    results = shutil.copytree(small_study, tmp_path / "results")
    provenance.record(results, CONFIGURATION, results / provenance.NAME)
    with pytest.raises(DyingReluError, match="dying-relu claims"):
        numbers.write(results, CONFIGURATION, tmp_path / "numbers.tex")
    assert not (tmp_path / "numbers.tex").exists()
