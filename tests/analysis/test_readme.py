"""The README's table of verdicts."""

import re
from pathlib import Path

import pytest
from generated_paper import ROOT
from planted_study import NOTHING, evidence
from published_study import PUBLISHED

from dying_relu.analysis import claims, readme
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.errors import DyingReluError
from dying_relu.results.origin import PARTS

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a study's verdicts."""
    path = tmp_path_factory.mktemp("verdicts") / "claims.csv"
    table = settled_by(
        evidence(NOTHING, leaky_gap=lambda network: -0.05 * (network["architecture"] == "cnn"))
    )
    claims.write(table.assign(**dict.fromkeys(PARTS, ""))[claims.COLUMNS], path)
    return path


def test_the_tracked_readme_is_what_the_command_writes(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    readme.write(copy, PUBLISHED / "claims.csv")
    assert copy.read_text(encoding="utf-8") == README.read_text(encoding="utf-8")


def test_it_shows_the_verdicts_with_their_conditions_and_literal_readings(
    verdicts: Path, tmp_path: Path
) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n{readme.START}\nbefore\n{readme.END}\nrest\n", encoding="utf-8")
    readme.write(page, verdicts)
    text = page.read_text(encoding="utf-8")
    assert "before" not in text
    assert text.endswith("rest\n")
    table = claims.on_claims(claims.read(verdicts))
    rows = [
        re.split(r"(?<!\\\\) \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| C")
    ]
    assert len(rows) == len(table)
    for (claim, statement, verdict, literal, effect), row in zip(rows, table.to_dict("records"), strict=True):
        assert (claim, statement) == (row["claim"], row["statement"])
        assert verdict == f"{row['verdict']} {row['condition']}".strip()
        assert literal == (row["literal"] or "the same")
        value, measure = effect.split(": ", 1)
        assert measure == row["measure"]
        number = float(re.search(r"-?\d+(?:\.\d+)?", value)[0])
        scale = 1 if row["unit"] == "number" else 100
        assert number == pytest.approx(scale * row["effect"], rel=0.02, abs=0.5)
    assert "| holds only if the network is MLP |" in text


def test_the_summary_counts_the_verdicts(verdicts: Path) -> None:
    table = claims.on_claims(claims.read(verdicts))
    assert readme.summary(table) == (
        "Of thirteen claims, two hold, one holds only under a condition and ten do not hold."
    )
    table.loc[:1, "verdict"] = claims.NOT_SETTLED
    assert "two are not settled" in readme.summary(table)


def test_findings_stand_between_their_marks_if_a_page_has_them(verdicts: Path) -> None:
    table = claims.on_findings(claims.read(verdicts))
    page = "# Title\n{}\nbefore\n{}\nrest\n".format(*readme.FINDINGS)
    text = readme.with_findings(page, table)
    assert "before" not in text
    assert text.endswith("rest\n")
    rows = [line for line in text.splitlines() if line.startswith("| F")]
    assert len(rows) == len(table)
    assert all(" | not settled | not measured: " in row and row.endswith(" | no seeds |") for row in rows)
    assert f"Of {len(table)} hypotheses, {len(table)} are not settled." in text
    assert readme.with_findings("# Title\n", table) == "# Title\n"


def test_sentences_on_what_was_found_stand_between_their_marks(
    verdicts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "highlights", lambda _: [r"\qty{5}{\percent} of \num{89700} die", "Rest."])
    page = "# Title\n{}\nbefore\n{}\nrest\n".format(*readme.HIGHLIGHTS)
    text = readme.with_highlights(page, claims.read(verdicts))
    assert text.splitlines()[2:4] == ["- 5 % of 89,700 die", "- Rest."]
    assert "before" not in text
    assert readme.with_highlights("# Title\n", claims.read(verdicts)) == "# Title\n"


def test_the_project_s_readme_has_all_marks() -> None:
    text = README.read_text(encoding="utf-8")
    for mark in (readme.START, readme.END, *readme.FINDINGS, *readme.HIGHLIGHTS):
        assert text.count(mark) == 1


def test_bars_and_missing_effects_do_not_break_the_table(verdicts: Path) -> None:
    table = claims.read(verdicts).head(1).assign(statement="|z| grows", effect=float("nan"))
    line = readme.markdown(table).splitlines()[-1]
    assert line.startswith(r"| C1 | \|z\| grows | holds | the same | not measured: ")


def test_a_readme_without_marks_is_refused(verdicts: Path) -> None:
    with pytest.raises(DyingReluError, match="lost the marks"):
        readme.with_verdicts("# Title\n", claims.read(verdicts))
