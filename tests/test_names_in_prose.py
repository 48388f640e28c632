"""Files and modules that prose names exist: in Markdown, in the workflow, and in comments and docstrings."""

import importlib.util
import re
from importlib import import_module
from pathlib import Path

from generated_paper import ROOT
from prose import MARKDOWN, PYTHON, WORKFLOW, comments_and_docstrings

TEXTS = {path: path.read_text(encoding="utf-8") for path in [*MARKDOWN, *WORKFLOW]} | {
    path: comments_and_docstrings(path) for path in PYTHON
}
MODULE = re.compile(r"\bdying_relu(?:\.\w+)+")
FILE = re.compile(
    r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|smk)|(?:[\w.-]+/)+[\w.-]+\.(?:md|ipynb)"
    r"|(?:src|tests|workflow|docs|benchmarks|notebooks)/[\w./-]*)`"
)
BASES = ("src/dying_relu", "", "tests")
"""Folders that a path may be relative to, beside the folder of the file that names it."""
FILE_NAMES = {path.name for path in [*WORKFLOW, *PYTHON]}


def is_module_or_name(dotted: str) -> bool:
    """Whether it is a module, or something that the longest module in it defines."""
    module, names = dotted, []
    while not _is_module(module):
        module, _, name = module.rpartition(".")
        names.insert(0, name)
    target: object = import_module(module)
    for name in names:
        if not hasattr(target, name):
            return False
        target = getattr(target, name)
    return True


def _is_module(dotted: str) -> bool:
    try:
        return importlib.util.find_spec(dotted) is not None
    except ModuleNotFoundError:
        return False


def exists(name: str, mentioned_in: Path) -> bool:
    """Whether a path that a file names leads somewhere; a name without a folder may be that of any file."""
    if "/" not in name:
        return name in FILE_NAMES
    return any((folder / name).exists() for folder in [mentioned_in.parent, *(ROOT / base for base in BASES)])


def test_modules_exist() -> None:
    names = {name: path for path, text in TEXTS.items() for name in MODULE.findall(text)}
    assert {name: path for name, path in names.items() if not is_module_or_name(name)} == {}


def test_files_exist() -> None:
    mentions = [(name, path) for path, text in TEXTS.items() for name in FILE.findall(text)]
    assert [(name, path) for name, path in mentions if not exists(name, path)] == []


def test_a_missing_name_is_noticed() -> None:
    assert is_module_or_name("dying_relu.units.statistics.UnitStatistics.merge")
    assert not is_module_or_name("dying_relu.units.definitions.undead")
    assert not is_module_or_name("dying_relu.unit")
    assert MODULE.findall("see :mod:`dying_relu.units.definitions`.") == ["dying_relu.units.definitions"]
    assert FILE.findall("in `src/dying_relu/unit.py` and `units/definitions.py`") == [
        "src/dying_relu/unit.py",
        "units/definitions.py",
    ]
    assert exists("units/definitions.py", ROOT / "README.md")
    assert not exists("src/dying_relu/unit.py", ROOT / "README.md")
