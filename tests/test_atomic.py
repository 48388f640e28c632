"""What is written takes the place of its own kind only, and nothing is left where it fails."""

from pathlib import Path

import pytest

from dying_relu.atomic import atomic_path
from dying_relu.errors import DyingReluError


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
