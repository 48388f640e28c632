"""A data set's file is found where the project keeps it, or where the environment says, and fetched once."""

from pathlib import Path

import pytest

from dying_relu.data import cached as module


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the data sets that were fetched."""
    names: list[str] = []

    def fetch(name: str, settings: object, out: Path) -> None:
        names.append(name)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()

    monkeypatch.setattr(module, "fetch", fetch)
    return names


def test_it_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]) -> None:
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.delenv(module.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path / "notebooks")
    assert module.cached("mnist") == module.cached("mnist") == tmp_path / "data" / "mnist.safetensors"
    assert fetched == ["mnist"]


def test_the_environment_names_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    monkeypatch.setenv(module.VARIABLE, str(tmp_path))
    (tmp_path / "mnist.safetensors").touch()
    assert module.cached("mnist") == tmp_path / "mnist.safetensors"
    assert fetched == []
