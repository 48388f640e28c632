"""The paper's PDF: run LaTeX as often as it needs, and turn its complaints into one message."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.results.commit import commit, is_modified

_ERROR = re.compile(r"^(?:(?P<file>[^:\s][^:]*):(?P<line>\d+): |! )(?P<what>.+)$", re.MULTILINE)
_UNDEFINED = re.compile(r"(?:(?:Reference|Citation|Label) [`'][^']+'.*(?:undefined|multiply defined))")
_NOT_PLAIN = re.compile(r"[^\w ./+=,:@-]")
_SHOWN = 5
LAST_DATE = 2**32 - 1
"""Seconds since 1970: the year 2106, beyond which a gzip file tells no time."""


def typeset(paper: Path, generated: Path, out: Path) -> None:
    """Typeset ``paper/main.tex`` with the study's figures, tables and numbers in ``generated``; the PDF goes to ``out``.

    The same input gives the same bytes: the PDF's date is that of the commit (or ``SOURCE_DATE_EPOCH``), not today.

    Args:
        paper: folder with ``main.tex``.
        generated: folder with the study's figures, tables and numbers.
        out: the PDF, replaced if it is there.

    Raises:
        DyingReluError: there is no LaTeX, or it found an error, an undefined reference or an unknown citation.
    """
    # Not beside ``out``: LaTeX would have to be told a path that anybody may have chosen.
    with tempfile.TemporaryDirectory(prefix="latex-") as folder:
        compile_paper(paper, Path(folder), source_date(paper), with_study(paper, generated))
        with atomic_path(out) as scratch:
            shutil.copyfile(Path(folder) / "main.pdf", scratch)


def compile_paper(paper: Path, build: Path, date: int, *options: str) -> None:
    """Run LaTeX on ``paper/main.tex`` as often as it needs; ``main.pdf`` and all that is written on the way go to the folder ``build``.

    Args:
        paper: folder with ``main.tex``.
        build: folder to write to.
        date: of the PDF, in seconds since 1970.
        options: for latexmk.

    Raises:
        DyingReluError: there is no LaTeX, or it found an error, an undefined reference or an unknown citation.
    """
    log = _run_latexmk(paper, build.resolve(), date, options)
    if undefined := sorted({" ".join(match.split()) for match in _UNDEFINED.findall(log)}):
        raise DyingReluError(f"{paper / 'main.tex'} has loose ends", found=_listed(undefined))


def with_study(paper: Path, generated: Path) -> str:
    """Make the option of latexmk that tells the paper where its figures, tables and numbers are.

    Args:
        paper: folder with ``main.tex``.
        generated: folder with the figures, tables and numbers.
    """
    return f"-usepretex={before_the_paper(paper, _plain(os.path.relpath(generated, paper)))}"


def before_the_paper(paper: Path, generated: str) -> str:
    """Write the TeX before ``main.tex``: where the study's figures, tables and numbers are, and whether ``paper`` is as committed.

    By default a PDF tells the folder and the time it was made in; without, the same paper is the same PDF anywhere.

    Args:
        paper: folder with ``main.tex``.
        generated: the folder's path as TeX is to read it.
    """
    note = ", typeset from modified files" if is_modified(commit(paper)) else ""
    return (
        r"\pdftrailerid{}\pdfsuppressptexinfo=-1\relax"
        rf"\newcommand\generated{{{generated}}}\newcommand\typesetnote{{{note}}}"
    )


def source_date(paper: Path) -> int:
    """Read ``SOURCE_DATE_EPOCH``, or else the time of the last commit, in seconds since 1970; 0 without either.

    Raises:
        DyingReluError: ``SOURCE_DATE_EPOCH`` is no such number.
    """
    if (epoch := os.environ.get("SOURCE_DATE_EPOCH")) is not None:
        if not (re.fullmatch("[0-9]{1,10}", epoch) and int(epoch) <= LAST_DATE):
            raise DyingReluError(
                "SOURCE_DATE_EPOCH is no date",
                found=repr(epoch[:60]),
                expected=f"seconds since 1970, a whole number of at most {LAST_DATE}",
                remedy="unset it, and the paper has the date of the last commit",
            )
        return int(epoch)
    command = ["git", "-C", str(paper), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(done.stdout.strip() or 0)


def _plain(path: str) -> str:
    """Return ``path``, if neither the shell to which latexmk hands it in double quotes nor TeX sees more in it than letters.

    Raises:
        DyingReluError: one of them would.
    """
    if strange := sorted(set(_NOT_PLAIN.findall(path))):
        raise DyingReluError(
            f"LaTeX cannot work with the path {path!r}",
            found=" ".join(map(repr, strange)),
            expected="letters, digits, blanks and ./-_+=,:@",
            remedy="rename the folder, or let TMPDIR be another one if it is that of temporary files",
        )
    return path


def _run_latexmk(paper: Path, build: Path, date: int, options: tuple[str, ...]) -> str:
    """Run latexmk, which runs LaTeX as often as it takes, and return LaTeX's log."""
    command = [
        "latexmk",
        "-norc",
        "-pdf",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
        f"-outdir={_plain(str(build))}",
        *options,
        "main.tex",
    ]
    # LaTeX breaks lines of its log at 79 characters, also within a file's name.
    environment = {"max_print_line": "1000", "FORCE_SOURCE_DATE": "1", "SOURCE_DATE_EPOCH": str(date)}
    try:
        done = subprocess.run(
            command,
            cwd=paper,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise DyingReluError(
            "there is no latexmk on this machine", remedy="`dying-relu check-latex` says what to install"
        ) from error
    print(done.stdout)
    log_file = build / "main.log"
    log = log_file.read_text(encoding="utf-8", errors="replace") if log_file.is_file() else done.stdout
    if done.returncode:
        raise DyingReluError(
            f"LaTeX cannot typeset {paper / 'main.tex'}",
            found=_listed(list(_errors(log)) or [done.stderr.strip()]),
        )
    return log


def _errors(log: str) -> Iterator[str]:
    for match in _ERROR.finditer(log):
        place = f"{match['file']}:{match['line']}: " if match["file"] else ""
        yield place + match["what"].strip()


def _listed(messages: list[str]) -> str:
    return "; ".join(messages[:_SHOWN])
