"""The PDF, typeset from small tables where LaTeX is installed: no warning, nothing undeclared, a clear error without a study."""

import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from generated_paper import ROOT, generate
from small_study import write_small_study

from dying_relu.analysis.figures import style

PAPER = ROOT / "paper"
BY_HAND = sorted(path for path in PAPER.rglob("*.tex") if "generated" not in path.parts)
FIGURES = re.findall(r"\\studyfigure\{(\w+)\}", "".join(path.read_text() for path in BY_HAND))
MOST_PAGES = 10
"""Of text, before the references."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed"),
]


def typeset(generated: Path | None, build: Path) -> subprocess.CompletedProcess[str]:
    study = rf"-usepretex=\newcommand\generated{{{os.path.relpath(generated, PAPER)}}}" if generated else ""
    options = ["-norc", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-recorder", f"-outdir={build}"]
    command = ["latexmk", *options, *([study] if study else []), "main.tex"]
    environment = os.environ | {"max_print_line": "1000"}
    return subprocess.run(
        command, cwd=PAPER, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.fixture(scope="module", params=["settled", "not enough data"])
def built(
    request: pytest.FixtureRequest, small_paper: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The folder of a build, and what it was built from; with two replicates nearly all claims stay open."""
    folder = tmp_path_factory.mktemp("pdf")
    if request.param == "settled":
        generated = shutil.copytree(small_paper / "generated", folder / "generated")
    else:
        write_small_study(folder / "study", replicates=2)
        generated = generate(folder / "study", folder)
    (generated / "figures").mkdir()
    for name in FIGURES:
        with plt.rc_context(style.PAPER):
            figure = plt.figure(figsize=(6.5, 2))
            figure.text(0.5, 0.5, name)
        style.save(figure, generated / "figures" / f"{name}.pdf")
    done = typeset(generated, folder / "build")
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / "build", generated


def test_the_log_holds_no_warning(built: tuple[Path, Path]) -> None:
    log = (built[0] / "main.log").read_text(errors="replace")
    bad = re.findall(r"^.*(?:Warning:|Overfull|Underfull).*$", log, flags=re.MULTILINE)
    assert bad == []
    assert "Warning--" not in (built[0] / "main.blg").read_text()


def test_latex_reads_what_the_rule_declares_and_nothing_else(built: tuple[Path, Path]) -> None:
    """The rule ``typeset`` declares paper/**/*.tex, the bibliography, and all figures, tables and numbers."""
    build, generated = built
    lines = (build / "main.fls").read_text().splitlines()
    read = {(PAPER / line.removeprefix("INPUT ")).resolve() for line in lines if line.startswith("INPUT ")}
    ours = {path for path in read if path.is_relative_to(PAPER) or path.is_relative_to(generated.resolve())}
    declared = {path.resolve() for path in [*BY_HAND, *generated.rglob("*.tex"), *generated.rglob("*.pdf")]}
    assert ours == declared


def test_the_text_is_at_most_ten_pages(built: tuple[Path, Path]) -> None:
    """Before the references, as the label at the end of the text knows."""
    label = re.search(r"newlabel\{end-of-text\}\{\{[^}]*\}\{(\d+)\}", (built[0] / "main.aux").read_text())
    assert label
    assert int(label[1]) <= MOST_PAGES


def test_every_figure_has_an_alternative_text(built: tuple[Path, Path]) -> None:
    pdf = (built[0] / "main.pdf").read_bytes()
    contents = (_inflated(pdf[match.end() :]) for match in re.finditer(rb"stream\r?\n", pdf))
    # Octal escapes of UTF-16.
    texts = re.findall(rb"/Alt\(((?:\\\d{3}|[^\\)])+)\)", b"".join(contents))
    assert len(texts) == len(FIGURES)
    assert all(len(text) > MOST_PAGES for text in texts)


def _inflated(compressed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(compressed)
    except zlib.error:
        return b""


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="poppler is not installed")
def test_poppler_has_no_complaint_about_fonts(built: tuple[Path, Path]) -> None:
    """Fonts with PostScript outlines that are embedded as TrueType are reported as a mismatch; all must be embedded."""
    done = subprocess.run(["pdffonts", built[0] / "main.pdf"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    fonts = done.stdout.splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +(?:yes|no) +(?:yes|no) +\d+ +\d+$", line) for line in fonts)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_abstract_and_conclusion_say_nothing_that_was_not_measured(built: tuple[Path, Path]) -> None:
    """A small study, such as the smoke study, lacks most numbers; the sentences that need them are left out."""
    done = subprocess.run(
        ["pdftotext", built[0] / "main.pdf", "-"], capture_output=True, text=True, check=True
    )
    text = " ".join(done.stdout.split())
    abstract = text[text.index("Abstract") : text.index("Introduction")]
    conclusion = text[text.rindex("Conclusion") : text.rindex("References")]
    assert "Every result in this text is computed from the runs." in abstract
    assert "and slow death." in conclusion
    assert "(not measured)" not in abstract + conclusion


def test_the_rule_declares_every_file(built: tuple[Path, Path]) -> None:
    rule = (ROOT / "workflow" / "rules" / "paper.smk").read_text()
    for declared in (
        "**/*.tex",
        "references.bib",
        "figures/{figure}.pdf",
        "rules.tables.output",
        "rules.numbers.output",
    ):
        assert declared in rule


def test_without_a_study_it_says_what_to_do(tmp_path: Path) -> None:
    done = typeset(None, tmp_path)
    assert done.returncode != 0
    assert "This paper needs a study" in " ".join(done.stdout.split())


def test_with_a_study_that_was_not_run_it_says_so(tmp_path: Path) -> None:
    done = typeset(tmp_path / "generated", tmp_path / "build")
    assert done.returncode != 0
    assert "run the study first" in " ".join(done.stdout.split())
