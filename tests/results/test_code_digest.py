"""The digest of a module changes with what it does, and only with that."""

import ast
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from dying_relu.results import code_digest as digests
from dying_relu.results import source_summary
from dying_relu.results.code_digest import code_digest, import_closure

MODULES = {
    "__init__": '"""The package."""\n',
    "main": '''"""Main."""
import math
from dying_relu import sideways
from dying_relu.box import thing
from .near import N


def f(x):
    """Docstring."""
    from dying_relu.late import g

    return g(x) + N
''',
    "sideways": "S = 1\n",
    "near": "N = 1\n",
    "late": "def g(x):\n    return x\n",
    "box.__init__": "from dying_relu.box.inner import thing\nfrom dying_relu.box.other import unrelated\n",
    "box.inner": "from .deep import D\n\n\ndef thing():\n    return D\n",
    "box.deep": "D = 1\n",
    "box.other": "def unrelated():\n    pass\n",
    "stranger": "X = 1\n",
    "study": "PLANNED = 1\n",
}


def forget() -> None:
    """What was read of files that have changed since."""
    for cached in (digests._path, digests._summary, digests._imports):
        cached.cache_clear()
    source_summary.forget()


class Package:
    """A package on disk to edit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in MODULES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder.joinpath("dying_relu", *name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        forget()

    def edited(self, name: str, found: str, instead: str) -> None:
        assert found in MODULES[name]
        self.write(name, MODULES[name].replace(found, instead))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    monkeypatch.setattr(digests, "SOURCE", tmp_path)
    monkeypatch.setattr(source_summary, "REMEMBERED", tmp_path / "__pycache__" / "summaries.json")
    forget()
    yield Package(tmp_path)
    forget()


def test_the_closure_follows_imports_to_where_names_are_defined(package: Package) -> None:
    assert import_closure("dying_relu.main") == {
        "dying_relu.main",
        "dying_relu.sideways",
        "dying_relu.near",
        "dying_relu.late",
        "dying_relu.box.inner",
        "dying_relu.box.deep",
    }


def test_a_package_stands_for_what_is_inside(package: Package) -> None:
    assert import_closure("dying_relu.box") >= {
        "dying_relu.box",
        "dying_relu.box.other",
        "dying_relu.box.deep",
    }


@pytest.mark.parametrize(
    ("module", "found", "instead"),
    [
        ("main", "+ N", "- N"),
        ("sideways", "1", "2"),
        ("near", "1", "2"),
        ("late", "return x", "return -x"),
        ("box.deep", "1", "2"),
    ],
)
def test_an_edit_within_the_closure_changes_the_digest(
    package: Package, module: str, found: str, instead: str
) -> None:
    before = code_digest("dying_relu.main")
    package.edited(module, found, instead)
    assert code_digest("dying_relu.main") != before


@pytest.mark.parametrize(
    ("module", "found", "instead"),
    [
        ("main", '"""Docstring."""', '"""Other words."""'),
        ("main", '    """Docstring."""\n', ""),
        ("main", "def f(x):", "# Why.\n\n\ndef f(\n    x\n):"),
        ("late", "return x", "return (x)"),
        ("box.other", "pass", "return 1"),
        ("stranger", "1", "2"),
    ],
)
def test_other_edits_do_not(package: Package, module: str, found: str, instead: str) -> None:
    before = code_digest("dying_relu.main")
    package.edited(module, found, instead)
    assert code_digest("dying_relu.main") == before


def test_planning_reaches_a_job_through_its_fingerprint_not_its_code(package: Package) -> None:
    before = code_digest("dying_relu.near")
    package.write("near", "from dying_relu.plan.study import PLANNED\nN = 1\n")
    with_import = code_digest("dying_relu.near")
    package.edited("study", "1", "2")
    assert before != with_import == code_digest("dying_relu.near")


def test_a_module_that_many_rules_need_is_looked_at_once(package: Package) -> None:
    with patch.object(ast, "parse", wraps=ast.parse) as parse:
        code_digest("dying_relu.main")
        code_digest("dying_relu.near")
        code_digest("dying_relu.box.inner")
    files = [call.kwargs["filename"] for call in parse.call_args_list]
    assert len(files) == len(set(files)) >= len(import_closure("dying_relu.main"))


def test_a_module_that_is_not_ours_is_a_mistake(package: Package) -> None:
    with pytest.raises(ValueError, match="absent is not a module"):
        code_digest("dying_relu.absent")


def test_the_benchmarks_are_ours_too() -> None:
    closure = import_closure("benchmarks.paper")
    assert closure >= {"benchmarks.paper", "benchmarks.tables", "dying_relu.analysis.latex"}


def test_training_depends_on_the_engine_and_on_nothing_later() -> None:
    closure = import_closure("dying_relu.training.shard_job")
    assert closure >= {
        "dying_relu.training.shard_job",
        "dying_relu.stack.activations",
        "dying_relu.units.definitions",
        "dying_relu.results.store",
    }
    assert not {name for name in closure if name.startswith(("dying_relu.analysis", "dying_relu.cli"))}
    assert not {"dying_relu.data.fetch", "dying_relu.data.sources.npm"} & closure
