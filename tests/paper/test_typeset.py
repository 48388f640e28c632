"""LaTeX runs until the PDF is done, and its complaints are passed on in one message."""

import shutil
import tempfile
from pathlib import Path

import pytest

from dying_relu.errors import DyingReluError
from dying_relu.paper.typeset import source_date, typeset

needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="there is no LaTeX here")

MAIN = r"""\documentclass{article}
\begin{document}
\section{One}\label{one}
\input{\generated/numbers.tex}
See Section~\ref{one}.
\end{document}
"""


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    folder = tmp_path / "paper"
    (folder / "generated" / "my_study").mkdir(parents=True)
    (folder / "generated" / "my_study" / "numbers.tex").write_text("42\n", encoding="utf-8")
    (folder / "main.tex").write_text(MAIN, encoding="utf-8")
    return folder


def run(paper: Path) -> Path:
    out = paper.parent / "results" / "paper.pdf"
    typeset(paper, paper / "generated" / "my_study", out)
    return out


def edit(paper: Path, found: str, instead: str) -> None:
    (paper / "main.tex").write_text(MAIN.replace(found, instead), encoding="utf-8")


@needs_latex
def test_the_same_input_gives_the_same_bytes(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = run(paper).read_bytes()
    assert first.startswith(b"%PDF")
    assert run(paper).read_bytes() == first


@needs_latex
def test_nothing_but_the_pdf_is_left(paper: Path) -> None:
    before = sorted(paper.rglob("*"))
    out = run(paper)
    assert sorted(paper.rglob("*")) == before
    assert list(out.parent.iterdir()) == [out]


@needs_latex
@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (r"\section{One}", r"\sektion{One}", r"main.tex:3: Undefined control sequence"),
        (r"\ref{one}", r"\ref{two}", r"Reference `two' on page 1 undefined"),
        (r"\ref{one}", r"\cite{nobody}", r"Citation `nobody' on page 1 undefined"),
        (r"numbers.tex", r"absent.tex", r"File `generated/my_study/absent.tex' not found"),
    ],
)
def test_a_mistake_is_named_and_leaves_nothing(paper: Path, found: str, instead: str, message: str) -> None:
    edit(paper, found, instead)
    with pytest.raises(DyingReluError) as error:
        run(paper)
    assert message in str(error.value)
    assert not list(paper.parent.glob("results/*"))


EVIL = ["$(touch pwned)", "`touch pwned`", '";touch pwned;"', r"\immediate\write18{touch pwned}"]


@needs_latex
@pytest.mark.parametrize("folder", EVIL)
def test_the_pdf_may_go_to_a_folder_whose_name_is_a_command(paper: Path, folder: str) -> None:
    out = paper.parent / folder / "paper.pdf"
    typeset(paper, paper / "generated" / "my_study", out)
    assert out.read_bytes().startswith(b"%PDF")
    assert not list(paper.parent.rglob("pwned"))


@needs_latex
@pytest.mark.parametrize("folder", EVIL)
def test_a_project_may_be_in_a_folder_whose_name_is_a_command(paper: Path, folder: str) -> None:
    (paper.parent / folder).mkdir()
    moved = paper.rename(paper.parent / folder / "paper")
    assert run(moved).read_bytes().startswith(b"%PDF")
    assert not list(paper.parent.rglob("pwned"))


@pytest.mark.parametrize("folder", [*EVIL, "50%", "a#b", "a{b", "a~b", "a&b", "a\nb"])
def test_a_study_in_a_folder_that_latex_cannot_be_told_is_refused(paper: Path, folder: str) -> None:
    generated = (paper / "generated" / "my_study").rename(paper / "generated" / folder)
    with pytest.raises(DyingReluError, match=r"LaTeX cannot work with the path .* expected letters, digits"):
        typeset(paper, generated, paper.parent / "results" / "paper.pdf")
    assert not list(paper.parent.rglob("pwned"))


@needs_latex
@pytest.mark.parametrize("folder", ["my study", "größer", "a,b=c+d@e:f", "-outdir=x"])
def test_a_study_may_be_in_a_folder_with_other_names(paper: Path, folder: str) -> None:
    generated = (paper / "generated" / "my_study").rename(paper / "generated" / folder)
    out = paper.parent / "results" / "paper.pdf"
    typeset(paper, generated, out)
    assert out.read_bytes().startswith(b"%PDF")


def test_a_folder_of_temporary_files_whose_name_is_a_command_is_refused(
    paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = paper.parent / "$(touch pwned)"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(DyingReluError, match=r"LaTeX cannot work with the path .* let TMPDIR be another one"):
        run(paper)
    assert not list(paper.parent.rglob("pwned"))


@pytest.mark.parametrize("date", ["x", "", "-1", "1.5", "1_0", "4294967296", "9" * 5000, "\u0661"])
def test_a_date_that_is_none_is_refused(paper: Path, monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    with pytest.raises(DyingReluError, match=r"SOURCE_DATE_EPOCH is no date: found '.*'; expected seconds"):
        run(paper)


@pytest.mark.parametrize("date", [0, 1_700_000_000, 2**32 - 1])
def test_the_date_is_the_one_given(monkeypatch: pytest.MonkeyPatch, date: int) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(date))
    assert source_date(Path("paper")) == date


def test_without_latex_it_says_where_to_find_out_what_to_install(
    paper: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        DyingReluError, match=r"no latexmk on this machine: `dying-relu check-latex` says what"
    ):
        run(paper)
