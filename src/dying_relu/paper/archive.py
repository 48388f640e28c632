"""The archives of a paper: its source for arXiv, which compiles by itself, and a study's results with their checksums."""

import gzip
import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.files.atomic import atomic_path
from dying_relu.paper import crate
from dying_relu.paper.typeset import before_the_paper, compile_paper, source_date, with_study
from dying_relu.results import provenance, schemas
from dying_relu.results.simulation_schemas import SIMULATIONS

PAPER, RESULTS = "arxiv.tar.gz", "results.tar.gz"
"""The two files that :func:`archive` writes, with a list of their sums."""

OF_A_STUDY = (
    *(f"{name}.parquet" for name in schemas.TABLES | SIMULATIONS),
    "claims.csv",
    "numbers.json",
    "paper.pdf",
    provenance.NAME,
)
OF_THE_PROJECT = ("LICENSE", "CITATION.cff", "codemeta.json")

ABOUT = """\
Results of the study "{study}" of Do ReLUs die?

study.yaml        what was run; the command was: {command}
*.parquet         tables; docs/tables.md of the project describes rows and columns
claims.csv        the verdicts, with the rules that they follow from
numbers.json      every number of the paper
paper.pdf         the paper
provenance.json   commit, versions, machine, and checksums of the tables
ro-crate-metadata.json   all of this for programs (RO-Crate)

To check that all is as it was: sha256sum --check *.sha256
"""

Files = dict[str, bytes]


def archive(paper: Path, generated: Path, results_folder: Path, configuration: Path, out: Path) -> None:
    """Write the folder ``out``: ``arxiv.tar.gz``, ``results.tar.gz`` and a checksum beside either. The same input gives the same bytes.

    The paper is compiled once from its archive alone, in an empty folder, without BibTeX, and has to come out the same to the byte.

    Args:
        paper: folder with ``main.tex``; the project's own files are looked for beside it.
        generated: the study's figures, tables and numbers.
        results_folder: the study's tables, verdicts, numbers, record and PDF.
        configuration: the study's file.
        out: folder to write, replaced if it is there.

    Raises:
        DyingReluError: something is missing, a table is not the recorded one, or the archive gives another paper.
    """
    provenance.check(results_folder)
    date = source_date(paper)
    bundles = {
        PAPER: _paper(paper, generated, date),
        RESULTS: _results(results_folder, configuration, paper.parent, date),
    }
    with atomic_path(out) as folder:
        folder.mkdir()
        for name, files in bundles.items():
            _pack(files, folder / name, date)
            checksums.write_beside(folder / name)


def _paper(paper: Path, generated: Path, date: int) -> Files:
    """Collect the files that LaTeX reads when it typesets the paper, with references resolved."""
    with tempfile.TemporaryDirectory(prefix="archive-") as scratch:
        build, alone = Path(scratch) / "build", Path(scratch) / "arxiv"
        compile_paper(paper, build, date, with_study(paper, generated))
        files = {_name(path, paper, generated): path.read_bytes() for path in _read_by_latex(build, paper)}
        files["main.bbl"] = (build / "main.bbl").read_bytes()
        files["main.tex"] = f"{before_the_paper(paper, 'generated')}\n".encode() + files["main.tex"]
        if _compile_alone(files, alone, date) != (build / "main.pdf").read_bytes():
            raise DyingReluError(
                "the paper's archive gives another PDF than the paper",
                remedy="is there something in paper/ that depends on where it is?",
            )
    return files


def _read_by_latex(build: Path, paper: Path) -> Iterable[Path]:
    """List the files that LaTeX's own record names, without those of its installation and those it has written."""
    lines = (build / "main.fls").read_text(encoding="utf-8").splitlines()
    names = {line.removeprefix("INPUT ") for line in lines if line.startswith("INPUT ")}
    return sorted(paper / name for name in names if not Path(name).is_absolute())


def _name(path: Path, paper: Path, generated: Path) -> str:
    """Name the file ``path`` in the archive."""
    path, paper, generated = path.resolve(), paper.resolve(), generated.resolve()
    if path.is_relative_to(generated):
        return (Path("generated") / path.relative_to(generated)).as_posix()
    if path.is_relative_to(paper):
        return path.relative_to(paper).as_posix()
    raise DyingReluError(f"the paper reads {path}", expected=f"only files inside {paper} or {generated}")


def _compile_alone(files: Files, folder: Path, date: int) -> bytes:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    compile_paper(folder, folder, date, "-bibtex-")
    return (folder / "main.pdf").read_bytes()


def _results(results_folder: Path, configuration: Path, project: Path, date: int) -> Files:
    paths = {name: results_folder / name for name in OF_A_STUDY}
    paths |= {name: project / name for name in OF_THE_PROJECT}
    paths["study.yaml"] = configuration
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        raise DyingReluError(
            f"cannot archive {results_folder}",
            found=f"no {', '.join(missing)}",
            remedy="run the study to its end: snakemake --cores all",
        )
    record = provenance.read(results_folder)
    about = ABOUT.format(study=results_folder.name, command=record["command"])
    with tempfile.TemporaryDirectory(prefix="archive-") as scratch:
        folder = Path(scratch)
        for name, path in paths.items():
            shutil.copy(path, folder / name)
        (folder / "README.txt").write_text(about, encoding="utf-8")
        rows = {name: str(table.description) for name, table in (schemas.TABLES | SIMULATIONS).items()}
        description = crate.metadata(folder, results_folder.name, record, rows, date)
        (folder / crate.NAME).write_bytes(description)
        for path in sorted(folder.iterdir()):
            checksums.write_beside(path)
        top = f"dying-relu-{results_folder.name}"
        return {f"{top}/{path.name}": path.read_bytes() for path in folder.iterdir()}


def _pack(files: Files, out: Path, date: int) -> None:
    """Write ``files`` to the archive ``out``; owners, modes and dates in it do not tell who packs, and when."""
    with (
        out.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=date) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), date
            tar.addfile(entry, io.BytesIO(content))
