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
THEORY = {"definitions", "theory"}
"""Sections whose numbers are definitions and formulas, not results."""
TEXT = "\n".join(re.sub(r"(?<!\\)%.*", "", path.read_text()) for path in [PAPER / "main.tex", *SECTIONS])


@pytest.fixture(scope="module")
def defined(small_paper: Path) -> set[str]:
    numbers = small_paper / "generated" / "numbers.tex"
    return set(re.findall(r"\\newcommand\\(\w+)", numbers.read_text()))


def headings(kind: str) -> list[tuple[str, str]]:
    """The id and the macros' prefix of each ``\\claim`` or ``\\finding`` of the text."""
    return re.findall(rf"\\{kind}\{{(\w+)\}}\{{(\w+)\}}", TEXT)


def used() -> set[str]:
    named = set(re.findall(r"\\([A-Z][A-Za-z]+)", TEXT)) - {
        "Cref",
        "FloatBarrier",
        "IfFileExists",
        "Phi",
        "Delta",
    }
    of_claims = {
        f"{prefix}{part}" for _, prefix in headings("claim") for part in ("Verdict", "Note", "Literal")
    }
    of_findings = {f"{prefix}{part}" for _, prefix in headings("finding") for part in ("Verdict", "Note")}
    conditions = re.findall(r"\\whenMeasured\{(\w+)\}", TEXT)
    return named | of_claims | of_findings | {f"{prefix}Measured" for prefix in conditions}


def test_every_macro_that_is_used_is_defined(defined: set[str]) -> None:
    assert used() - defined == set()


def test_every_macro_that_is_defined_is_used(defined: set[str]) -> None:
    # A claim that needs no data, such as an identity, always has its number.
    assert {name for name in defined - used() if not name.endswith("Measured")} == set()


def test_every_claim_and_every_finding_has_its_place() -> None:
    claims_of_the_post = [(claim.id, f"Claim{LETTERS[int(claim.id[1:])]}") for claim in claims.ordered()]
    assert headings("claim") == claims_of_the_post
    findings = [
        (finding.id, f"Finding{LETTERS[int(finding.id[1])]}{finding.id[2].upper()}")
        for finding in claims.ordered_findings()
    ]
    assert headings("finding") == findings


@pytest.mark.parametrize(
    "section", ["abstract", "claim_by_claim", "conclusion", "findings", "introduction", "practice"]
)
def test_every_number_of_a_verdict_stands_where_it_was_measured(section: str) -> None:
    """Outside of ``whenMeasured`` and ``ifMeasured`` an estimate would be printed although there is none."""
    outside = _without_conditional_text((PAPER / "sections" / f"{section}.tex").read_text())
    outside = re.sub(r"\\(?:claim|finding)\{\w+\}\{\w+\}|\\\w+(?:Verdict|Literal)\b", "", outside)
    always = {"ClaimOneValues", "ClaimOneEstimate", "FindingCount", "FindingSummary"}
    assert set(re.findall(r"\\((?:Claim|Finding)[A-Za-z]+)", outside)) - always == set()


def test_every_sentence_whose_direction_the_data_may_turn_names_its_findings() -> None:
    """The comments ``% depends on: F1a`` name rules that there are, so that each can be checked when data are in."""
    known = {rule.id for rule in [*claims.ordered(), *claims.ordered_findings()]}
    sources = "".join(path.read_text() for path in [PAPER / "main.tex", *SECTIONS])
    comments = re.findall(r"% depends on: (.*)", sources)
    named = {rule for comment in comments for rule in re.findall(r"[CF]\d+[a-z]?", comment)}
    assert comments
    assert named <= known


def _without_conditional_text(text: str) -> str:
    kept, position = [], 0
    for match in re.finditer(r"\\(?:whenMeasured\{\w+\}|ifMeasured)\{", text):
        if match.start() < position:
            continue
        kept.append(text[position : match.start()])
        depth, position = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
    return "".join([*kept, text[position:]])


ALLOWED = (
    r"\\(?:cite\w*|cref|Cref|label|input|studytable|studyfigure|claim|finding|whenMeasured)(?:\{[^{}]*\})+",
    r"\b(?:CIFAR-10\d?|C\d+|F\d[a-z]?|CS231n)\b",
    # Lengths and options of LaTeX.
    r"\d*\.?\d+(?:ex|em|in|pt)\b|\d*\.?\d+\\textwidth",
    # Only 0 and 1 in formulas.
    r"\$[^$2-9]*\$",
    # Packages of code.
    r"\\path\{[^}]*\}",
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
