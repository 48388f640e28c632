"""A summary is that of the file as it is, whatever was remembered."""

import ast
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from dying_relu.results import source_summary
from dying_relu.results.source_summary import Import, remember, summary, written

CODE = """\
\"\"\"Words.\"\"\"
import math
from ..far import g as h


def f():
    from near import n

    return n + h(math.pi)
"""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A memory of its own, empty."""
    path = tmp_path / "__pycache__" / "summaries.json"
    monkeypatch.setattr(source_summary, "REMEMBERED", path)
    source_summary.forget()
    yield path
    source_summary.forget()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(CODE, encoding="utf-8")
    return path


def test_imports_of_all_kinds_are_in_it(file: Path) -> None:
    imports = {Import("math", -1, ()), Import("far", 2, ("g",)), Import("near", 0, ("n",))}
    assert set(summary(file).imports) == imports
    assert summary(file).origins == {"h": (Import("far", 2, ("g",)), "g")}


def test_the_next_process_need_not_parse(file: Path, memory: Path) -> None:
    made = summary(file)
    remember()
    source_summary.forget()
    with patch.object(ast, "parse", side_effect=AssertionError("parsed again")):
        assert summary(file) == made
    assert [path.name for path in memory.parent.iterdir()] == [memory.name]


def test_an_edited_file_is_parsed_again(file: Path) -> None:
    before = summary(file)
    remember()
    source_summary.forget()
    file.write_text(CODE.replace("+ h", "- h"), encoding="utf-8")
    assert summary(file).meaning != before.meaning


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": "x", "summaries": {}}'])
def test_a_memory_that_is_damaged_or_of_another_version_is_not_used(
    file: Path, memory: Path, content: str
) -> None:
    made = summary(file)
    source_summary.forget()
    memory.parent.mkdir(exist_ok=True)
    memory.write_text(content, encoding="utf-8")
    assert summary(file) == made
    remember()
    source_summary.forget()
    assert summary(file) == made


def test_a_folder_that_cannot_be_written_costs_time_only(file: Path, memory: Path) -> None:
    memory.parent.write_text("a file where the folder should be", encoding="utf-8")
    made = summary(file)
    remember()
    source_summary.forget()
    assert summary(file) == made


def test_fields_that_a_newer_python_adds_to_the_tree_do_not_count() -> None:
    tree = ast.parse("def f(x): return None")
    before = written(tree)
    for node in ast.walk(tree):
        node._fields = (*node._fields, "of_a_newer_python")
        node.of_a_newer_python = []
    assert written(tree) == before
    assert "Constant(None)" in before
