"""The PDF: LaTeX run as often as it needs, and its complaints turned into one message."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dying_relu.errors import DyingReluError

_ERROR = re.compile(r"^(?:(?P<file>[^:\s][^:]*):(?P<line>\d+): |! )(?P<what>.+)$", re.MULTILINE)
_UNDEFINED = re.compile(r"(?:(?:Reference|Citation|Label) [`'][^']+'.*(?:undefined|multiply defined))")
_SHOWN = 5


def typeset(paper: Path, generated: Path, out: Path) -> None:
    """Typeset ``paper/main.tex`` with the study's figures, tables and numbers in ``generated``; the PDF goes to ``out``.

    The same input gives the same bytes: the PDF's date is that of the commit (or ``SOURCE_DATE_EPOCH``), not today.

    Raises:
        DyingReluError: there is no LaTeX, or it found an error, an undefined reference or an unknown citation.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".latex-", dir=out.parent) as folder:
        build = Path(folder).resolve()
        log = _run_latexmk(paper, generated, build)
        if undefined := sorted({" ".join(match.split()) for match in _UNDEFINED.findall(log)}):
            raise DyingReluError(f"{paper / 'main.tex'} has loose ends", found=_listed(undefined))
        os.replace(build / "main.pdf", out)


def _run_latexmk(paper: Path, generated: Path, build: Path) -> str:
    """LaTeX's log, after as many passes as it takes."""
    command = [
        "latexmk",
        "-norc",
        "-pdf",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
        f"-outdir={build}",
        # By default a PDF's identifier is made of the time and the folder.
        rf"-usepretex=\pdftrailerid{{}}\newcommand\generated{{{os.path.relpath(generated, paper)}}}",
        "main.tex",
    ]
    # LaTeX breaks lines of its log at 79 characters, also within a file's name.
    environment = os.environ | {"max_print_line": "1000", "FORCE_SOURCE_DATE": "1", **_date(paper)}
    try:
        done = subprocess.run(
            command,
            cwd=paper,
            env=environment,
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


def _date(paper: Path) -> dict[str, str]:
    """The time of the last commit, as LaTeX takes it."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return {}
    command = ["git", "-C", str(paper), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {"SOURCE_DATE_EPOCH": "0"}
    return {"SOURCE_DATE_EPOCH": done.stdout.strip() or "0"}


def _errors(log: str) -> Iterator[str]:
    for match in _ERROR.finditer(log):
        place = f"{match['file']}:{match['line']}: " if match["file"] else ""
        yield place + match["what"].strip()


def _listed(messages: list[str]) -> str:
    return "; ".join(messages[:_SHOWN])
