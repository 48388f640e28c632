"""A module named in the environment adds entries, once, or is named in an error."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dying_relu import extensions
from dying_relu.errors import DyingReluError
from dying_relu.extensions import VARIABLE, Registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, forgotten afterwards with the modules in it."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_modules_in_the_current_folder_are_imported_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("made_up_one", "made_up_two"):
        (folder / f"{name}.py").write_text(
            f"import sys\nsys.counted = [*getattr(sys, 'counted', []), '{name}']\n"
        )
    monkeypatch.setenv(VARIABLE, "made_up_one, made_up_two,")
    monkeypatch.setattr(sys, "counted", [], raising=False)
    for _ in range(2):
        extensions.load()
    assert sys.counted == ["made_up_one", "made_up_two"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'made_up'"),
        ("1 / 0", "ZeroDivisionError"),
        ("from", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, reason: str
) -> None:
    if content:
        (folder / "made_up.py").write_text(content)
    monkeypatch.setenv(VARIABLE, "made_up")
    with pytest.raises(DyingReluError, match="cannot import the extension made_up") as error:
        extensions.load()
    assert reason in str(error.value)
    assert VARIABLE in str(error.value)


def test_a_name_has_one_entry() -> None:
    colours = Registry[int]("colour")
    colours.add("red", 1)
    with pytest.raises(DyingReluError, match="two entries for the colour 'red'"):
        colours.add("red", 2)
    assert colours == {"red": 1}


def test_only_files_of_extensions_are_summed_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "made_up.py").write_text("def f(): ...\n")
    monkeypatch.setenv(VARIABLE, "made_up")
    extensions.load()
    made_up = sys.modules["made_up"].f
    before = extensions.digests([extensions.load, made_up, None])
    assert len(before) == 1
    assert extensions.digests([extensions.load, Registry, None]) == []
    (folder / "made_up.py").write_text("def f(): 1\n")
    assert extensions.digests([made_up]) != before
