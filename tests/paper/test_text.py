"""The paper's text against what it is built from: macros, tables, figures, claims, references, and no typed result."""

import re
from pathlib import Path

import pytest
from generated_paper import ROOT

from dying_relu.analysis import claims, figures, tables
from dying_relu.analysis.entries import FIGURES
from dying_relu.analysis.numbers.verdicts import LETTERS

PAPER = ROOT / "paper"
SECTIONS = sorted((PAPER / "sections").glob("*.tex"))
THEORY = {"definitions"}
"""Sections whose numbers are definitions and formulas, not results."""
TEXT = "\n".join(re.sub(r"(?<!\\)%.*", "", path.read_text()) for path in [PAPER / "main.tex", *SECTIONS])


@pytest.fixture(scope="module")
def defined(small_paper: Path) -> set[str]:
    numbers = small_paper / "generated" / "numbers.tex"
    return set(re.findall(r"\\newcommand\\(\w+)", numbers.read_text()))


def used() -> set[str]:
    named = set(re.findall(r"\\([A-Z][A-Za-z]+)", TEXT)) - {"Cref", "FloatBarrier", "IfFileExists", "Phi"}
    verdicts = re.findall(r"\\claimsection\{C\d+\}\{(\w+)\}", TEXT)
    conditions = re.findall(r"\\whenMeasured\{(\w+)\}", TEXT)
    return (
        named
        | {f"Claim{claim}{part}" for claim in verdicts for part in ("Verdict", "Note", "Literal")}
        | {f"Claim{claim}Measured" for claim in conditions}
    )


def test_every_macro_that_is_used_is_defined(defined: set[str]) -> None:
    assert used() - defined == set()


def test_every_macro_that_is_defined_is_used(defined: set[str]) -> None:
    # A claim that needs no data, such as an identity, always has its number.
    unused = {name for name in defined - used() if not name.endswith("Measured")}
    # The text quotes all findings or, before the study of the plan has run, none: a table shows them.
    of_findings = {name for name in defined if name.startswith("Finding")}
    assert unused in (set(), of_findings - {name for name in of_findings if name.endswith("Measured")})


def test_every_claim_has_its_section() -> None:
    expected = [(claim.id, LETTERS[int(claim.id[1:])]) for claim in claims.ordered()]
    assert re.findall(r"\\claimsection\{(C\d+)\}\{(\w+)\}", TEXT) == expected


def test_every_number_of_a_claim_stands_where_it_was_measured() -> None:
    """Outside of ``whenMeasured`` an estimate would be printed although there is none."""
    results = (PAPER / "sections" / "results.tex").read_text()
    outside = _without_conditional_text(results)
    always = {"ClaimOneValues", "ClaimOneEstimate"}
    assert set(re.findall(r"\\(Claim[A-Za-z]+)", outside)) - always == set()


def _without_conditional_text(text: str) -> str:
    kept, position = [], 0
    for match in re.finditer(r"\\whenMeasured\{\w+\}\{", text):
        if match.start() < position:
            continue
        kept.append(text[position : match.start()])
        depth, position = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
    return "".join([*kept, text[position:]])


ALLOWED = (
    r"\\(?:cite\w*|cref|Cref|label|input|studytable|studyfigure|claimsection)(?:\{[^}]*\})+",
    r"\b(?:CIFAR-10\d?|C\d+)\b",
    # Lengths and options of LaTeX.
    r"\d*\.?\d+(?:ex|em|in|pt)\b|\d*\.?\d+\\textwidth",
    # Only 0 and 1 in formulas.
    r"\$[^$2-9]*\$",
    # The sign of zero: "outputs 0".
    r"(?<= )0(?= )",
)


@pytest.mark.parametrize(
    "section", [path for path in SECTIONS if path.stem not in THEORY], ids=lambda p: p.stem
)
def test_no_result_is_typed_by_hand(section: Path) -> None:
    text = re.sub(r"(?<!\\)%.*", "", section.read_text())
    for allowed in ALLOWED:
        text = re.sub(allowed, "", text)
    assert [line.strip() for line in text.splitlines() if re.search(r"\d", line)] == []


def test_tables_and_figures_are_there() -> None:
    assert set(re.findall(r"\\studytable\{(\w+)\}", TEXT)) == set(tables.names())
    names = re.findall(r"\\studyfigure\{(\w+)\}", TEXT)
    assert sorted(names) == sorted(figures.NAMES)
    for name in names:
        assert rf"\label{{fig:{name}}}" in TEXT
        assert FIGURES.constant(name, "CAPTION")


def test_every_reference_is_cited_and_every_citation_is_a_reference() -> None:
    keys = set(re.findall(r"^@\w+\{(\w+),", (PAPER / "references.bib").read_text(), flags=re.MULTILINE))
    cited = {key for keys in re.findall(r"\\cite\w*\{([^}]+)\}", TEXT) for key in keys.split(",")}
    assert cited == keys
