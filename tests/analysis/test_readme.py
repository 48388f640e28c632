import re
from pathlib import Path

import pytest
from generated_paper import ROOT

from dying_relu.analysis import claims, readme
from dying_relu.errors import DyingReluError

README = ROOT / "README.md"
VERDICTS = ROOT / "results/published/claims.csv"


def block() -> str:
    return README.read_text(encoding="utf-8").split(readme.START)[1].split(readme.END)[0]


def test_the_tracked_readme_is_what_the_command_writes(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    readme.write(copy, VERDICTS)
    assert copy.read_text(encoding="utf-8") == README.read_text(encoding="utf-8")


def test_it_shows_what_was_published() -> None:
    table = claims.read(VERDICTS)
    rows = [
        re.split(r"(?<!\\) \| ", line.strip("| ")) for line in block().splitlines() if line.startswith("| C")
    ]
    assert len(rows) == len(table)
    for (claim, statement, verdict, effect), row in zip(rows, table.to_dict("records"), strict=True):
        assert (claim, statement, verdict) == (row["claim"], row["statement"], row["verdict"])
        value, measure = effect.split(": ", 1)
        assert measure == row["measure"]
        numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", value)]
        scale = 1 if row["unit"] == "number" else 100
        expected = [row["effect"], row["low"], row["high"]] if row["low"] != row["high"] else [row["effect"]]
        assert numbers == pytest.approx([scale * number for number in expected], rel=0.02, abs=0.5)


def test_the_summary_counts_the_verdicts() -> None:
    table = claims.read(VERDICTS)
    words = [
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
    ]
    sentence = block().split("\n\n")[0]
    for verdict, count in table["verdict"].value_counts().items():
        assert re.search(rf"\b{words[count]} (is|are) {verdict}\b(?! with)", sentence), verdict
    table.loc[:1, "verdict"] = claims.NOT_ENOUGH_DATA
    assert "two lack data" in readme.summary(table)


def test_bars_and_missing_effects_do_not_break_the_table() -> None:
    table = claims.read(VERDICTS).head(1).assign(statement="|z| grows", effect=float("nan"), low=float("nan"))
    assert (
        readme.markdown(table).splitlines()[-1].startswith(r"| C1 | \|z\| grows | supported | not measured: ")
    )


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(DyingReluError, match="lost the marks"):
        readme.with_verdicts("# Title\n", claims.read(VERDICTS))
