"""Prepare a copy of the project for mutmut, or draw from the mutants that it has made there; ``tests/MUTANTS.md`` says how.

    python tests/mutants.py FOLDER
    python tests/mutants.py FOLDER dying_relu.analysis.claims 500

mutmut leaves decorated functions alone, which the rules of all claims are, and the properties that hold their evidence. In the copy a
decorator is called below its function instead of standing above it, which comes to the same; below a rule, whose decorator is looked for in
the file, a decorated function calls it.
"""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import libcst as cst

ROOT = Path(__file__).parents[1]
COPIED = ("benchmarks", "config", "paper", "pyproject.toml", "results", "src", "tests", "workflow")
ALSO = ("benchmarks", "config", "paper", "results", "workflow")
"""What mutmut does not copy by itself."""
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
pytest_add_cli_args_test_selection={tests}
also_copy={copied}
use_git_change_detection=false
"""
LEFT_IN_PLACE = {"classmethod", "staticmethod"}
"""mutmut knows them."""
RULES = {"claim", "finding"}
"""Decorators by which modules with rules are found."""
SEED = 6


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
    lines = "\n    ".join
    setup = SETUP.format(modules=lines(MUTATED), tests=lines(MUTATED.values()), copied=lines(ALSO))
    (folder / "setup.cfg").write_text(setup, encoding="utf-8")


def sample(folder: Path, module: str, size: int) -> list[str]:
    """So many of the mutants that mutmut has made of the modules whose names begin so, drawn at random with ``SEED``."""
    listed = subprocess.run(
        ["mutmut", "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    )
    names = [line.split(":")[0].strip() for line in listed.stdout.splitlines()]
    return random.Random(SEED).sample(sorted(name for name in names if name.startswith(module)), size)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        prepare(Path(sys.argv[1]))
    else:
        print("\n".join(sample(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
