"""The PDF, typeset from small tables where LaTeX is installed: no warning, nothing undeclared, a clear error without a study."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from generated_paper import ROOT, generate
from small_study import write_small_study

PAPER = ROOT / "paper"
BY_HAND = sorted(path for path in PAPER.rglob("*.tex") if "generated" not in path.parts)
FIGURES = re.findall(r"\\studyfigure\{(\w+)\}", "".join(path.read_text() for path in BY_HAND))

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
        figure = plt.figure(figsize=(6.5, 2))
        figure.text(0.5, 0.5, name)
        figure.savefig(generated / "figures" / f"{name}.pdf")
        plt.close(figure)
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
