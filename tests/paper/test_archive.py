"""The bundles: the paper compiles from its own alone, the results can be checked, and nothing is packed that is not what was made."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate
from small_study import CONFIGURATION

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.paper import archive

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="there is no LaTeX here")

MAIN = r"""\documentclass{article}
\usepackage{graphicx}
\begin{document}
\input{sections/one}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""
SECTION = r"""\section{One}\label{one}
\input{\generated/numbers.tex} units died~\cite{someone}; see Section~\ref{one}.
\IfFileExists{\generated/figure.pdf}{\includegraphics{\generated/figure.pdf}}{}
"""
REFERENCES = "@misc{someone, author = {Some One}, title = {Units}, year = {2019}}\n"


@pytest.fixture
def project(small_paper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a short paper, the results of a study and what describes a project."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    paper = tmp_path / "paper"
    (paper / "sections").mkdir(parents=True)
    (paper / "main.tex").write_text(MAIN, encoding="utf-8")
    (paper / "sections" / "one.tex").write_text(SECTION, encoding="utf-8")
    (paper / "sections" / "unused.tex").write_text("Left out.\n", encoding="utf-8")
    (paper / "references.bib").write_text(REFERENCES, encoding="utf-8")
    (paper / "generated" / "study").mkdir(parents=True)
    (paper / "generated" / "study" / "numbers.tex").write_text("42\n", encoding="utf-8")
    shutil.copytree(small_paper / "results", tmp_path / "results")
    (tmp_path / "results" / "paper.pdf").write_bytes(b"%PDF-1.5")
    for name in archive.OF_THE_PROJECT:
        (tmp_path / name).write_text(f"{name}\n", encoding="utf-8")
    return tmp_path


def pack(project: Path, name: str = "archive") -> Path:
    out = project / name
    archive.archive(
        project / "paper", project / "paper/generated/study", project / "results", CONFIGURATION, out
    )
    return out


def unpack(bundle: Path, folder: Path) -> Path:
    with tarfile.open(bundle) as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_the_source_is_what_latex_reads_and_compiles_in_an_empty_folder(project: Path) -> None:
    alone = unpack(pack(project) / archive.PAPER, project / "alone")
    files = {str(path.relative_to(alone)) for path in alone.rglob("*") if path.is_file()}
    assert files == {"main.tex", "main.bbl", "sections/one.tex", "generated/numbers.tex"}
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "main.tex"], cwd=alone, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert (alone / "main.pdf").read_bytes().startswith(b"%PDF")


def test_the_results_can_be_checked_with_sha256sum(project: Path) -> None:
    unpack(pack(project) / archive.RESULTS, project / "deposit")
    (folder,) = (project / "deposit").iterdir()
    assert {"runs.parquet", "claims.csv", "study.yaml", "provenance.json", "README.txt", "LICENSE"} <= {
        path.name for path in folder.iterdir()
    }
    for checked in (folder, project / "archive"):
        sums = sorted(checked.glob(f"*{checksums.SUFFIX}"))
        done = subprocess.run(
            ["sha256sum", "--strict", "--check", *sums],
            cwd=checked,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        listed = {line.split()[1] for path in sums for line in path.read_text().splitlines()}
        assert listed == {path.name for path in checked.iterdir()} - {path.name for path in sums}


def test_the_results_are_a_crate_that_its_library_reads(project: Path) -> None:
    unpack(pack(project) / archive.RESULTS, project / "deposit")
    (folder,) = (project / "deposit").iterdir()
    crate = ROCrate(folder)
    described = {entity.id: entity for entity in crate.data_entities}
    present = {path.name for path in folder.iterdir() if path.suffix != checksums.SUFFIX}
    assert set(described) == present - {"ro-crate-metadata.json"}
    for name, entity in described.items():
        assert entity["sha256"] == checksums.sha256(folder / name)
        assert entity["description"]
    assert "a network that was trained" in described["runs.parquet"]["description"]
    run = crate.get("#run")
    assert crate.root_dataset["mentions"] == run
    assert run["instrument"]["name"] == "dying-relu"
    assert described["claims.csv"] in run["result"]
    assert crate.root_dataset["datePublished"] == "2023-11-14T22:13:20+00:00"


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    first, again = pack(project, "first"), pack(project, "again")
    for path in first.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_nobody_learns_who_packed(project: Path) -> None:
    out = pack(project)
    for name in (archive.PAPER, archive.RESULTS):
        with tarfile.open(out / name) as tar:
            assert {(entry.uid, entry.uname, entry.mtime) for entry in tar} == {(0, "", 1_700_000_000)}


def refused(project: Path) -> str:
    with pytest.raises(DyingReluError) as error:
        pack(project)
    assert not list(project.glob("*archive*"))
    return str(error.value)


def test_a_table_that_was_changed_is_not_packed(project: Path) -> None:
    with (project / "results" / "runs.parquet").open("ab") as file:
        file.write(b"x")
    assert "runs.parquet is not the table that was recorded" in refused(project)


def test_what_is_missing_is_named(project: Path) -> None:
    (project / "results" / "paper.pdf").unlink()
    said = refused(project)
    assert "results/paper.pdf" in said
    assert "run the study to its end" in said


def test_a_source_that_cannot_be_read_is_not_called_one_that_cannot_be_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(archive, "_results", unreadable)
    with pytest.raises(PermissionError):
        pack(project)


def test_a_file_from_elsewhere_is_named(project: Path) -> None:
    (project / "elsewhere.tex").write_text("More.\n", encoding="utf-8")
    (project / "paper" / "main.tex").write_text(
        MAIN.replace("sections/one", "../elsewhere"), encoding="utf-8"
    )
    said = refused(project)
    assert "elsewhere.tex" in said
    assert "inside" in said


def test_a_paper_that_says_where_it_is_is_refused(project: Path) -> None:
    (project / "paper" / "sections" / "one.tex").write_text(
        SECTION + r"Made of \texttt{\generated}." + "\n", encoding="utf-8"
    )
    assert "another PDF" in refused(project)


def test_a_paper_that_does_not_compile_alone_is_refused(project: Path) -> None:
    (project / "paper" / "sections" / "one.tex").write_text(
        SECTION + r"\newcommand\alone{generated}\ifx\generated\alone\nonsense\fi" + "\n", encoding="utf-8"
    )
    said = refused(project)
    assert "arxiv/main.tex" in said
    assert "Undefined control sequence" in said
