"""The project's folder is found from anywhere inside it."""

from pathlib import Path

import pytest

from dying_relu.files.project import project_folder


def test_the_nearest_folder_with_a_snakefile_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").touch()
    inside = tmp_path / "notebooks" / "mine"
    inside.mkdir(parents=True)
    assert project_folder(inside) == project_folder(tmp_path) == tmp_path
    (inside / "Snakefile").touch()
    assert project_folder(inside) == inside


def test_without_one_it_is_where_the_search_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_folder() == tmp_path
