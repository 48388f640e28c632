"""The paper's tables: whole, in LaTeX that holds together, and true to runs and configuration."""

import re
from pathlib import Path

import pytest
from generated_paper import ROOT
from small_study import CONFIGURATION, write_small_study

from dying_relu.analysis import claims, figures, sensitivity, tables
from dying_relu.analysis.latex import escape
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables import cells, definitions, examples, verdicts
from dying_relu.analysis.tables import deaths as death_table
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


def test_every_claim_of_the_post_is_in_a_readers_words_with_its_threshold() -> None:
    """C1 and C8 are trivial and have none."""
    assert list(verdicts.WORDINGS) == [f"C{number}" for number in range(1, 14)]
    without = {claim for claim, wording in verdicts.WORDINGS.items() if "(above" not in wording.asked}
    assert without - {"C1", "C8"} == {
        claim for claim, wording in verdicts.WORDINGS.items() if "(below" in wording.asked
    }


def test_long_training_is_told_by_its_networks_that_trained(
    written: dict[str, str], small_study: Path
) -> None:
    runs = store.read("runs", small_study / "runs.parquet")
    here = runs[
        (runs["experiment"] == "long") & (runs["dataset"] == "mnist") & (runs["learning_rate"] == 0.01)
    ]
    line = next(line for line in written["long"].splitlines() if r"MNIST & MLP & SGD & \num{0.01}" in line)
    good = here[trained(here)]
    assert f" & {len(good)} of {len(here)} & " in line
    accuracy = float(re.search(r"of \d+ & \\num\{(.*?)\}", line)[1])
    assert accuracy == pytest.approx(100 * good["test_accuracy"].mean(), abs=0.5)


def test_every_figure_names_the_module_that_draws_it(written: dict[str, str]) -> None:
    modules = re.findall(r"\\path\{([^}]+)\}", written["figure_modules"])
    assert len(modules) == len(figures.NAMES)
    assert all((ROOT / module).is_file() for module in modules)


def test_only_what_differs_in_a_factor_is_told_apart_by_it(written: dict[str, str]) -> None:
    rows = [line.removesuffix(r" \\").split(" & ") for line in written["parts"].splitlines()[4:-2]]
    assert rows
    for row in rows:
        datasets, networks, optimisers = row[1:3], row[3:5], row[5:8]
        assert any(
            sum(bool(cell.strip()) for cell in group) > 1 for group in (datasets, networks, optimisers)
        )


def test_every_cell_of_every_finding_and_claim_has_a_row(written: dict[str, str], small_paper: Path) -> None:
    """The name of a rule stands in the first row of its cells, and findings stand before claims."""
    table = claims.read(small_paper / "results" / "claims.csv")
    rules = [*claims.on_findings(table).to_dict("records"), *claims.on_claims(table).to_dict("records")]
    body = written["cells"].split("\\endlastfoot\n")[1].split("\\end{longtable*}")[0]
    rows = [line.removesuffix(r" \\").split(" & ") for line in body.splitlines()]
    every = [cell for rule in rules for cell in rule["cells"]]
    assert [(row[2], row[4]) for row in rows] == [
        (cell["name"].replace(" -", " $-$"), f"{cell['agreeing']} of {cell['seeds']}") for cell in every
    ]
    assert [row[5].removesuffix(r"$^\ast$") for row in rows] == [cell["state"] for cell in every]
    names = [row[0].removeprefix(r"\addlinespace[2pt]") for row in rows if row[0]]
    assert names == [rule["claim"] for rule in rules if rule["cells"]]


def test_every_threshold_that_a_rule_names_is_printed_with_its_cells() -> None:
    """C1 and C8 have no cells; those of F4a are distances from a threshold."""
    rules = [*claims.ordered(), *claims.ordered_findings()]
    assert {rule.id for rule in rules if not cells.threshold(rule.rule, rule.unit)} == {"C1", "C8", "F4a"}
    thresholds = {rule.id: cells.threshold(rule.rule, rule.unit) for rule in rules}
    assert thresholds["F1a"] == r"below \num{20}\,\%"
    assert thresholds["F1c"] == r"within \num{-10} and \num{10} points"
    assert thresholds["F1e"] == thresholds["F1c"]
    assert thresholds["F4c"] == r"above \num{0}"
    assert thresholds["C4"] == r"below \num{1}\,\%"


def test_a_share_of_seeds_is_printed_with_its_exact_limit() -> None:
    share = {"estimate": 0, "low": 0, "high": 0.139, "seeds": 20}
    assert cells.median(share, "percent") == r"\qty{0}{\percent} [\num{0}, \num{14}]"


def test_every_verdict_by_a_definition_has_a_sign_of_its_own() -> None:
    assert set(definitions.SHORT) == {*claims.VERDICTS, sensitivity.NOT_COMPUTED}
    assert len(set(definitions.SHORT.values())) == len(definitions.SHORT)


def test_every_experiment_and_every_rate_of_the_configuration_is_listed(written: dict[str, str]) -> None:
    settings = load(CONFIGURATION)
    for name, experiment in settings.experiments.items():
        part = written["settings"].split(rf"\textbf{{{escape(name)}}}")[1].split(r"\end{minipage}")[0]
        assert experiment.question in part
        for rate in experiment.grid.learning_rate:
            assert rf"\num{{{rate:g}}}" in part


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
