"""Look for LaTeX with all that the paper needs; install what is missing, or say what to install.

The packages that the paper needs are read from its own source, so that there is no second list to keep. LaTeX is run by
:mod:`dying_relu.paper.typeset`.

``python -m dying_relu.paper.latex`` (``make paper`` and ``make test``) installs what is missing, on Debian and its relatives, if it may
do so without asking for a password.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dying_relu.errors import DyingReluError
from dying_relu.paper import debian

PROGRAMS = ("latexmk", "pdflatex", "bibtex", "kpsewhich")
FONTS = ("ptmr8t.tfm", "ec-lmtt10.tfm")
"""Metrics of Times and Latin Modern Mono: packages can be there without their fonts."""

DEBIAN_PACKAGES = (
    "latexmk",
    "lmodern",
    "texlive-fonts-recommended",
    "texlive-latex-extra",
    "texlive-latex-recommended",
    "texlive-science",
)

_COMMENT = re.compile(r"(?<!\\)%.*")
_NEEDED = re.compile(
    r"\\(?P<command>documentclass|usepackage|RequirePackage|bibliographystyle)\s*(?:\[[^\]]*\])?\s*\{(?P<names>[^}]+)\}"
)
_SUFFIXES = {"documentclass": ".cls", "bibliographystyle": ".bst"}


def check(paper: Path = Path("paper")) -> None:
    """Check that LaTeX can typeset the folder ``paper``.

    Raises:
        DyingReluError: it cannot; the message says what is missing and what to install.
    """
    if absent := missing(paper):
        raise DyingReluError(
            "LaTeX cannot typeset the paper here",
            found=f"no {', '.join(absent)}",
            remedy=f"on Debian or Ubuntu: sudo apt-get install {' '.join(DEBIAN_PACKAGES)}; elsewhere: a full TeX Live or MacTeX",
        )


def missing(paper: Path) -> list[str]:
    """List the programs, or else the files, that LaTeX needs for the folder ``paper`` and that are not here."""
    if programs := [program for program in PROGRAMS if shutil.which(program) is None]:
        return programs
    files = [*sorted(set(needed(paper))), *FONTS]
    paths = subprocess.run(["kpsewhich", *files], capture_output=True, text=True, check=False).stdout
    installed = {Path(line).name for line in paths.splitlines()}
    return [file for file in files if file not in installed]


def needed(paper: Path) -> Iterator[str]:
    """List the classes, packages and bibliography styles that the folder ``paper`` loads and does not bring along."""
    for source in sorted(paper.rglob("*.tex")):
        for match in _NEEDED.finditer(_COMMENT.sub("", source.read_text(encoding="utf-8"))):
            for name in match["names"].split(","):
                file = name.strip() + _SUFFIXES.get(match["command"], ".sty")
                if not (paper / file).exists():
                    yield file


def install(paper: Path = Path("paper")) -> None:
    """Install what is missing, if this is a Debian-like system on which one may do so without a password.

    Raises:
        DyingReluError: something is missing, and it may not be installed, or installing failed.
    """
    if missing(paper) and debian.may_install():
        print("Installing LaTeX with apt-get (once; about 700 MB on disk) ...", flush=True)
        debian.install(*DEBIAN_PACKAGES)
    check(paper)


if __name__ == "__main__":
    try:
        install()
    except DyingReluError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
