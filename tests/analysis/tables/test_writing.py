"""The paper's tables: whole, in LaTeX that holds together, and true to runs and configuration."""

import re
from pathlib import Path

import pytest
import small_study
from generated_paper import ROOT
from small_study import CONFIGURATION, ORIGIN, write_small_study

from dying_relu.analysis import tables
from dying_relu.analysis.latex import escape
from dying_relu.analysis.outcomes import finite, trained, untrained
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables import deaths as death_table
from dying_relu.analysis.tables import examples, rates, remedies
from dying_relu.configuration import load
from dying_relu.results import store
from dying_relu.simulations.checks import checks
from dying_relu.simulations.protocol import INDEPENDENT


@pytest.fixture(scope="module")
def written(small_paper: Path) -> dict[str, str]:
    folder = small_paper / "generated" / "tables"
    return {path.stem: path.read_text() for path in folder.iterdir()}


def test_every_table_is_written_and_balanced(written: dict[str, str]) -> None:
    assert set(written) == set(tables.names())
    for text in written.values():
        assert text.count(r"\begin{") == text.count(r"\end{") > 0
        assert text.count("{") == text.count("}")
        assert r"\caption" not in text


def test_every_claim_has_a_row_and_a_rule(written: dict[str, str]) -> None:
    for number in range(1, 14):
        assert f"\nC{number} & " in written["verdicts"]
        assert rf"\item[C{number}] " in written["claims_rules"]


def test_every_experiment_and_every_rate_of_the_configuration_is_listed(written: dict[str, str]) -> None:
    settings = load(CONFIGURATION)
    for name, experiment in settings.experiments.items():
        part = written["settings"].split(rf"\textbf{{{escape(name)}}}")[1].split(r"\end{minipage}")[0]
        assert experiment.question in part
        for rate in experiment.grid.learning_rate:
            assert rf"\num{{{rate:g}}}" in part


def remedies_at(at: tuple[float, ...], folder: Path) -> dict[str, list[str]]:
    """The cells of each row of the table of remedies of a study at the rates ``at``."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("remedies", "remedies_training"):
            patch.setitem(small_study.GRIDS, name, small_study.GRIDS[name] | {"learning_rate": at})
        write_small_study(folder, experiments=("remedies", "remedies_training"))
    lines = remedies.table(StudyResults(folder)).splitlines()
    rows = [line.removesuffix(r" \\").split(" & ") for line in lines if line.count(" & ") == 5]
    return {cells[0]: cells[1:] for cells in rows}


def test_a_remedy_is_compared_with_relu_where_both_were_trained(tmp_path: Path) -> None:
    rows = remedies_at((0.01, 1.0), tmp_path)
    runs = store.read("runs", tmp_path / "runs.parquet")
    relu = runs[(runs["activation"] == "relu") & (runs["initialisation"] == "he")]
    means = 100 * relu.groupby(["optimiser", "learning_rate"])["dead_fraction"].mean()
    at_high = means["sgd", 1.0]
    assert rows["ReLU"][:2] == [r"\num{4}", rf"\qty{{{at_high:.0f}}}{{\percent}}"]
    cell = ["dataset", "architecture"]
    twins = relu[relu["learning_rate"] == 1.0].pivot_table(
        index=[*cell, "replicate"], columns="optimiser", values="dead_fraction"
    )
    both = (
        relu[relu["learning_rate"] == 1.0].assign(lost=untrained).groupby([*cell, "replicate"])["lost"].any()
    )
    changes = (twins["sgd_clipped"] - twins["sgd"])[~both].groupby(cell).mean()
    change = float(re.match(r"\\num\{(.*?)\}", rows["clipped"][1])[1])
    assert change == pytest.approx(100 * changes.mean(), abs=0.5)
    assert rows["clipped"][0] == r"\num{4}"
    assert rows["clipped"][-1] == rf"\num{{{both.sum()}}} of \num{{12}}"


def test_pairs_of_which_a_run_did_not_train_are_counted_and_in_no_mean(tmp_path: Path) -> None:
    rows = remedies_at((0.01, small_study.OVERFLOWS), tmp_path)
    nothing = ["--", "--", "--", r"\num{12} of \num{12}"]
    assert rows["ReLU"][1:] == rows["clipped"][1:] == nothing


def test_a_study_without_remedies_says_so(tmp_path: Path) -> None:
    write_small_study(tmp_path, experiments=("causes",))
    assert remedies.table(StudyResults(tmp_path)) == "The study has no experiment remedies.\n"


def test_every_check_has_a_row_and_one_that_fails_an_asterisk(written: dict[str, str]) -> None:
    found = checks()
    lines = [line for line in written["validation"].splitlines() if line.count(" & ") == 4]
    assert len(lines) == len(found) + 1
    assert r"\cref{eq:onepoint} & \num{0.9249} & \num{0.9249 \pm " in lines[1]
    assert "more than 90 \\% & " in written["validation"]
    assert [r"$^\ast$" in line for line in lines] == [False] * len(found) + [True]


def test_every_equation_that_a_check_names_is_in_the_paper() -> None:
    text = (ROOT / "paper" / "sections" / "definitions.tex").read_text()
    named = {check.source for check in checks() if check.source.startswith("eq:")}
    assert named
    assert all(rf"\label{{{label}}}" in text for label in named)
    references = (ROOT / "paper" / "references.bib").read_text()
    assert all(
        f"{{{check.source}," in references for check in checks() if check.source not in named | {INDEPENDENT}
    )


def test_what_nobody_published_cites_nobody(written: dict[str, str]) -> None:
    lines = [line for line in written["validation"].splitlines() if f" & {INDEPENDENT} & " in line]
    assert len(lines) == sum(check.source == INDEPENDENT for check in checks()) > 0


def test_the_rate_that_kills_half_lies_between_the_rates_around_it(small_study: Path) -> None:
    runs = store.read("runs", small_study / "runs.parquet")
    like = (runs["experiment"] == "causes") & (runs["activation"] == "relu") & (runs["initial_bias"] == 0)
    place = (runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")
    means = runs[like & place & trained(runs)].groupby("learning_rate")["dead_fraction"].mean()
    line = next(
        line for line in rates.table(StudyResults(small_study)).splitlines() if "MNIST & MLP & SGD" in line
    )
    printed = line.split(" & ")[3]
    if means.iloc[0] >= rates.LEVEL:
        assert printed == "the lowest"
    elif means.iloc[-1] < rates.LEVEL:
        assert printed == "not reached"
    else:
        rate = float(re.search(r"num\{(.*)\}", printed)[1])
        assert means.index[means < rates.LEVEL].min() <= rate <= means.index.max()


def test_a_safe_rate_at_the_edge_of_the_grid_is_only_a_bound(small_study: Path, tmp_path: Path) -> None:
    """In the small study the highest rate diverges; without it nobody knows where the safe ones end."""
    inside = rates.table(StudyResults(small_study))
    assert r"& \num{1} & \num{3} of \num{12} \\" in inside
    assert r"\ge" not in inside
    runs = store.read("runs", small_study / "runs.parquet")
    store.write("runs", runs[finite(runs)], tmp_path / "runs.parquet", ORIGIN)
    assert r"& $\ge$ \num{1} & \num{0} of \num{9} \\" in rates.table(StudyResults(tmp_path))


def test_what_a_study_cannot_say_of_deaths_and_fewer_examples_is_said(tmp_path: Path) -> None:
    write_small_study(tmp_path, experiments=("causes",))
    deaths = death_table.table(StudyResults(tmp_path))
    assert deaths == "Of this study nothing can be said: no unit dies in the experiments 'anatomy...'.\n"
    fewer = examples.table(StudyResults(tmp_path))
    assert fewer == "Not measured: the study has no experiment 'recovery'.\n"


def test_of_one_replicate_deaths_are_told_without_an_interval(small_study: Path, tmp_path: Path) -> None:
    write_small_study(tmp_path, replicates=1, experiments=("anatomy",))
    one, three = (death_table.table(StudyResults(folder)) for folder in (tmp_path, small_study))
    assert r"\num{100}" in one
    assert "[" not in one.replace("@{}", "")
    assert "[" in three
