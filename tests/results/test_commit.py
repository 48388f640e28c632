"""The commit is named, and said to be modified when something differs that can matter."""

import re
import subprocess
from pathlib import Path

import pytest

from dying_relu.paper.typeset import before_the_paper
from dying_relu.results.commit import commit, is_modified


def test_the_commit_says_when_files_were_modified(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "src" / "dying_relu").mkdir(parents=True)
    source = tmp_path / "src" / "dying_relu" / "x.py"
    source.write_text("x = 1\n")
    table = tmp_path / "results" / "published" / "runs.parquet"
    table.parent.mkdir(parents=True)
    table.write_text("made by a study")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    clean = commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{10}", clean)
    table.write_text("made by a study that was repeated")
    assert commit(tmp_path) == clean
    (tmp_path / "notes.txt").write_text("nothing that is run")
    assert commit(tmp_path) == clean
    new = source.with_name("y.py")
    new.write_text("y = 1\n")
    assert commit(tmp_path) == f"{clean}, modified"
    assert is_modified(commit(tmp_path))
    assert "typeset from modified files" in before_the_paper(tmp_path, "generated")
    new.unlink()
    assert "modified" not in before_the_paper(tmp_path, "generated")
    source.write_text("x = 2\n")
    assert commit(tmp_path) == f"{clean}, modified"


def test_without_a_repository_or_git_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(Path(__file__).parent) == "unknown"
