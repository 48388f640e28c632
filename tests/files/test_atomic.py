"""What is written takes the place of its own kind only, and nothing is left where it fails or is killed."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from dying_relu.errors import DyingReluError
from dying_relu.files import locks
from dying_relu.files.atomic import atomic_path


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(DyingReluError, match="v is a folder"), atomic_path(folder) as beside:
        beside.write_text("a page")
    assert (folder / "mine.txt").read_text() == "kept"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "v"
    file.write_text("kept")
    with pytest.raises(DyingReluError, match="v is a file"), atomic_path(file) as beside:
        beside.mkdir()
    assert file.read_text() == "kept"


def test_a_folder_is_replaced_by_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "old").touch()
    with atomic_path(folder) as beside:
        beside.mkdir()
        (beside / "new").touch()
    assert [file.name for file in folder.iterdir()] == ["new"]


WRITE = """
import sys, time
from pathlib import Path
from dying_relu.files.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as beside:
    beside.write_text("half a table")
    print("writing", flush=True)
    time.sleep(60)
"""


def writer(path: Path) -> subprocess.Popen[str]:
    """Another process that is writing to ``path`` until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_what_a_killed_process_was_writing_is_deleted_by_the_next_and_that_of_a_live_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "runs.parquet"
    killed, alive = writer(path), writer(path)
    assert len(list(tmp_path.iterdir())) == 2
    killed.kill()
    killed.wait()
    with atomic_path(path) as beside:
        beside.write_text("a table")
    left = [entry for entry in tmp_path.iterdir() if entry != path]
    alive.kill()
    alive.wait()
    assert [(folder / path.name).read_text() for folder in left] == ["half a table"]
    with atomic_path(path) as beside:
        beside.write_text("another table")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "another table"


def test_one_process_can_write_the_same_file_twice_at_once(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    with atomic_path(path) as outer:
        outer.write_text("first")
        with atomic_path(path) as inner:
            inner.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"


def test_without_locks_nothing_is_taken_for_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    somebodys = tmp_path / ".v.abc"
    somebodys.mkdir()
    with atomic_path(tmp_path / "v") as beside:
        beside.touch()
    assert sorted(tmp_path.iterdir()) == [somebodys, tmp_path / "v"]


def test_without_the_systems_locks_as_on_windows_files_are_written_and_leftovers_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    somebodys = tmp_path / ".v.abc"
    somebodys.mkdir()
    with atomic_path(tmp_path / "v") as scratch:
        scratch.write_text("there")
    assert sorted(tmp_path.iterdir()) == [somebodys, tmp_path / "v"]
    assert (tmp_path / "v").read_text() == "there"


def test_a_folder_that_was_taken_for_left_over_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, mkdtemp = [], locks.tempfile.mkdtemp

    def snatched(**where: Path) -> str:
        made.append(mkdtemp(**where))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(locks.tempfile, "mkdtemp", snatched)
    with atomic_path(tmp_path / "v") as beside:
        beside.write_text("there")
    assert len(made) == 2
    assert (tmp_path / "v").read_text() == "there"
