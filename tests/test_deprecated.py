"""Names of version 0.1.0 still work, and say what to use instead."""

import subprocess
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from dying_relu import deprecated, results, training, units
from dying_relu.analysis import tables
from dying_relu.results import store
from dying_relu.units import definitions


def forget(name: str) -> None:
    """Make the next import of the old name ``name`` the first one."""
    sys.modules.pop(name, None)
    package, _, attribute = name.rpartition(".")
    vars(import_module(package)).pop(attribute, None)


@pytest.mark.parametrize(("old", "new"), sorted(deprecated.MODULES.items()))
def test_an_old_module_is_the_new_one_and_warns(old: str, new: str) -> None:
    forget(old)
    spec = import_module(new).__spec__
    with pytest.warns(DeprecationWarning, match=f"{old} is deprecated .*; use {new}$"):
        module = import_module(old)
    assert module is sys.modules[new]
    assert module.__name__ == new
    assert module.__spec__ is spec


@pytest.mark.parametrize(
    "statement",
    [
        "import dying_relu.schemas",
        "from dying_relu import schemas",
        "from dying_relu.schemas import TABLES",
        "import dying_relu.validation.checks",
    ],
)
def test_every_form_of_import_warns_at_the_line_that_imports(statement: str) -> None:
    code = f"import dying_relu\n\n{statement}\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "<string>:3: DeprecationWarning: dying_relu." in done.stderr


def test_no_old_name_hides_a_module_that_exists() -> None:
    hidden = {old for old in deprecated.MODULES if PathFinder.find_spec(old, parent_path(old))}
    assert not hidden


def parent_path(name: str) -> list[str] | None:
    """Where the modules of the package of ``name`` lie; None where the package itself is an old name."""
    package = name.rpartition(".")[0]
    return None if package in deprecated.MODULES else list(import_module(package).__path__)


def test_tables_by_name_as_version_0_1_0_had_them() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"tables\.TABLES is deprecated .*; use dying_relu\.analysis\.tables\.names$"
    ):
        functions = tables.TABLES
    assert tuple(functions) == tables.names()
    assert "every step" in functions["settings"](Path("results/published"), Path("config/published.yaml"))
    with pytest.raises(AttributeError, match="has no attribute 'FIGURES'"):
        tables.FIGURES  # noqa: B018


@pytest.mark.parametrize("package", [units, results, training])
def test_old_names_of_a_module_that_is_now_a_package(package: object) -> None:
    module, names = deprecated.NAMES[package.__name__]  # type: ignore[attr-defined]
    for name in names:
        with pytest.warns(DeprecationWarning, match=rf"{name} is deprecated .*; use {module}\.{name}$"):
            assert getattr(package, name) is getattr(import_module(module), name)


def test_new_names_do_not_warn(recwarn: pytest.WarningsRecorder) -> None:
    assert definitions.dead
    assert store.read
    with pytest.raises(AttributeError, match="has no attribute 'alive'"):
        units.alive  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        import_module("dying_relu.not_a_module")
    assert not recwarn.list
