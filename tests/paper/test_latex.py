"""The programs are small scripts in a folder that is all of PATH; one test looks at the real LaTeX."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dying_relu.errors import DyingReluError
from dying_relu.paper import latex

PAPER = Path(__file__).parents[2] / "paper"
FAKE_APT_GET = """echo "$@" >> {calls}
case "$*" in *" install "*) {effect} ;; esac"""

Program = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, empty but for what scripts are made of."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env", "true", "cp", "chmod"):
        (folder / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def program(programs: Path) -> Program:
    """Make a program."""

    def make(name: str, script: str = "exit 0") -> None:
        (programs / name).write_text(f"#!{programs}/sh\n{script}\n")
        (programs / name).chmod(0o755)

    return make


@pytest.fixture
def tex(program: Program) -> None:
    """A LaTeX that has everything."""
    for name in ("latexmk", "pdflatex", "bibtex"):
        program(name)
    program("kpsewhich", 'for file in "$@"; do echo "/texmf/$file"; done')


@pytest.fixture
def apt_get(programs: Path, program: Program, tmp_path: Path) -> Path:
    """An apt-get that installs a LaTeX; the file in which it notes how it was called."""
    calls = tmp_path / "calls"
    effect = f"for name in latexmk pdflatex bibtex kpsewhich; do cp {programs}/true {programs}/$name; done"
    effect += (
        f"; printf '#!/bin/sh\\nfor file in \"$@\"; do echo /texmf/$file; done\\n' > {programs}/kpsewhich"
    )
    program("apt-get", FAKE_APT_GET.format(calls=calls, effect=effect))
    return calls


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    folder = tmp_path / "paper"
    (folder / "sections").mkdir(parents=True)
    (folder / "own.sty").touch()
    (folder / "main.tex").write_text(
        "\\documentclass[10pt]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{own, booktabs,array} % \\usepackage{unused}\n"
        "\\bibliographystyle{plainnat}\n% \\usepackage{neither}\n100\\% \\usepackage{siunitx}\n"
    )
    (folder / "sections" / "one.tex").write_text("\\RequirePackage{xcolor}\n")
    return folder


def as_user(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_what_the_paper_loads_is_read_from_its_source(paper: Path) -> None:
    assert set(latex.needed(paper)) == {
        "article.cls",
        "array.sty",
        "booktabs.sty",
        "fontenc.sty",
        "plainnat.bst",
        "siunitx.sty",
        "xcolor.sty",
    }


@pytest.mark.usefixtures("tex")
def test_a_machine_with_everything_passes(paper: Path) -> None:
    latex.check(paper)


@pytest.mark.usefixtures("programs")
def test_without_latex_one_message_says_what_to_install(paper: Path) -> None:
    with pytest.raises(DyingReluError) as failure:
        latex.check(paper)
    message = str(failure.value)
    assert "found no latexmk, pdflatex, bibtex, kpsewhich" in message
    assert "sudo apt-get install latexmk lmodern texlive-" in message
    assert "\n" not in message


@pytest.mark.usefixtures("tex")
def test_a_missing_package_is_named(paper: Path, program: Program) -> None:
    program("kpsewhich", 'for file in "$@"; do [ "$file" = siunitx.sty ] || echo "/texmf/$file"; done')
    with pytest.raises(DyingReluError, match=r"found no siunitx\.sty; on Debian"):
        latex.check(paper)


@pytest.mark.usefixtures("tex")
def test_nothing_is_installed_where_nothing_is_missing(
    paper: Path, apt_get: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(0, monkeypatch)
    latex.install(paper)
    assert not apt_get.exists()


def test_root_installs_without_being_asked_anything(
    paper: Path, apt_get: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(0, monkeypatch)
    latex.install(paper)
    update, install = apt_get.read_text().splitlines()
    assert update.endswith(" update")
    assert "install --yes --no-install-recommends" in install
    assert set(latex.DEBIAN_PACKAGES) <= set(install.split())


def test_a_user_installs_if_sudo_needs_no_password(
    paper: Path, apt_get: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(1000, monkeypatch)
    program("sudo", '[ "$1" = --non-interactive ] || exit 1; shift; exec "$@"')
    latex.install(paper)
    assert len(apt_get.read_text().splitlines()) == 2


@pytest.mark.parametrize("sudo", [None, "exit 1"], ids=["no sudo", "sudo wants a password"])
def test_a_user_who_may_not_install_is_told_what_to_install(
    paper: Path, apt_get: Path, program: Program, monkeypatch: pytest.MonkeyPatch, sudo: str | None
) -> None:
    as_user(1000, monkeypatch)
    if sudo:
        program("sudo", sudo)
    with pytest.raises(DyingReluError, match="sudo apt-get install latexmk"):
        latex.install(paper)
    assert not apt_get.exists()


def test_another_system_is_told_what_to_install(
    paper: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not (programs / "apt-get").exists()
    as_user(0, monkeypatch)
    with pytest.raises(DyingReluError, match="elsewhere: a full TeX Live or MacTeX"):
        latex.install(paper)


def test_an_apt_get_that_fails_is_quoted(
    paper: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(0, monkeypatch)
    program("apt-get", "echo 'E: Unable to locate package latexmk' >&2; exit 100")
    with pytest.raises(DyingReluError, match="apt-get update failed: found E: Unable to locate package"):
        latex.install(paper)


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
def test_the_real_paper_can_be_typeset_where_latex_is_installed() -> None:
    latex.check(PAPER)
