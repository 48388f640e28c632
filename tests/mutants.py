"""Make the mutants of a copy of the project, for ``tests/mutant_trials.py`` to try; ``tests/MUTANTS.md`` says how.

    python tests/mutants.py FOLDER

mutmut leaves decorated functions alone, which the rules of all claims are, and the properties that hold their evidence. In the copy a
decorator is called below its function instead of standing above it, which comes to the same; below a rule, whose decorator is looked for in
the file, a decorated function calls it.
"""

import os
import shutil
import sys
from pathlib import Path

import libcst as cst

ROOT = Path(__file__).parents[1]
COPIED = ("benchmarks", "config", "paper", "pyproject.toml", "results", "src", "tests", "workflow")
MUTATED = {
    "src/dying_relu/units/definitions.py": "tests/units",
    "src/dying_relu/theory/*.py": "tests/theory",
    "src/dying_relu/analysis/outcomes.py": "tests/analysis/test_outcomes.py",
    "src/dying_relu/analysis/thresholds.py": "tests/analysis/test_thresholds.py",
    "src/dying_relu/analysis/inference/*.py": "tests/analysis/inference",
    "src/dying_relu/analysis/claims/*.py": "tests/analysis/claims",
    "src/dying_relu/analysis/findings/*.py": "tests/analysis/findings",
}
"""Modules, and the tests that have to notice what is changed in them."""
SETUP = """
[mutmut]
source_paths=src
only_mutate={modules}
use_git_change_detection=false
"""
LEFT_IN_PLACE = {"classmethod", "staticmethod"}
"""mutmut knows them."""
RULES = {"claim", "finding"}
"""Decorators by which modules with rules are found."""


class Undecorated(cst.CSTTransformer):
    """``@decorator`` above ``def f`` becomes ``f = decorator(f)`` below it."""

    def leave_FunctionDef(  # noqa: N802 (libcst's name)
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel:
        decorators = [decorator.decorator for decorator in updated_node.decorators]
        if not decorators or any(isinstance(d, cst.Name) and d.value in LEFT_IN_PLACE for d in decorators):
            return updated_node
        bare = updated_node.with_changes(decorators=[])
        if any(
            isinstance(d, cst.Call) and isinstance(d.func, cst.Name) and d.func.value in RULES
            for d in decorators
        ):
            called = cst.parse_statement(f"return {updated_node.name.value}(evidence)")
            rule = updated_node.with_changes(
                name=cst.Name(f"{updated_node.name.value}_rule"), body=cst.IndentedBlock([called])
            )
            return cst.FlattenSentinel([bare, rule])
        name, value = cst.Name(updated_node.name.value), cst.Name(updated_node.name.value)
        for decorator in reversed(decorators):
            value = cst.Call(decorator, [cst.Arg(value)])
        below = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(name)], value)])
        return cst.FlattenSentinel([bare, below])


def prepare(folder: Path) -> None:
    """Copy the project into ``folder``, which must not exist yet."""
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "generated", "shards")
            )
        else:
            shutil.copy2(source, folder / name)
    for pattern in MUTATED:
        for path in folder.glob(pattern):
            module = cst.parse_module(path.read_text(encoding="utf-8"))
            path.write_text(module.visit(Undecorated()).code, encoding="utf-8")
    setup = SETUP.format(modules="\n    ".join(MUTATED))
    (folder / "setup.cfg").write_text(setup, encoding="utf-8")


def mutate(folder: Path) -> None:
    """Write the mutants of all modules to ``folder/mutants``, beside what their tests need."""
    os.chdir(folder)
    # Here, because it changes how processes are started.
    from mutmut import __main__ as mutmut

    for name in COPIED:
        copy = shutil.copytree if Path(name).is_dir() else shutil.copy2
        copy(name, Path("mutants", name))
    for path in mutmut.walk_source_files():
        if mutmut.config().should_mutate(path):
            Path("mutants", path).unlink()
            error = mutmut.create_file_mutants(path).error
            if error:
                raise error


if __name__ == "__main__":
    copied = Path(sys.argv[1]).resolve()
    prepare(copied)
    mutate(copied)
