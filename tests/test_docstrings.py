"""The words of the source: first lines that name a thing or an action, and `Args` where a function takes several parameters."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "dying_relu"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

QUESTION_WORDS = {
    "what",
    "how",
    "which",
    "whether",
    "when",
    "where",
    "why",
    "who",
    "whose",
    "is",
    "are",
    "do",
    "does",
    "can",
}

# Public functions of two or more parameters without `Args`, by module, each group with its reason.
WITHOUT_ARGS: dict[str, set[str]] = {
    # Pairs of a function and its derivative, (z, slope) each, which the module documents once.
    "stack/activations.py": {
        f"{name}{part}"
        for name in ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh")
        for part in ("", "_gradient")
    }
    | {"b_silu_gradient", "nelu_gradient"},
}

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_docstrings(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """Name each module, public class and public function or method of a file."""
    yield "module", tree
    for owner in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
        for node in owner.body:
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                yield node.name if owner is tree else f"{owner.name}.{node.name}", node


def parameters(function: Function) -> list[str]:
    """Names of a function's parameters, `*args` and `**kwargs` included."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in (*named, arguments.vararg, arguments.kwarg) if argument is not None]


def is_command(function: Function) -> bool:
    """True of a typer command, whose parameters carry their own help."""
    return any(ast.unparse(decorator).startswith("app.command") for decorator in function.decorator_list)


@pytest.mark.parametrize("module", MODULES)
def test_first_lines_are_no_questions(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text())
    first_lines = {
        name: (ast.get_docstring(node) or "").partition("\n")[0] for name, node in public_docstrings(tree)
    }
    questions = {
        name: line
        for name, line in first_lines.items()
        if line and line.split()[0].strip(",:").lower() in QUESTION_WORDS
    }
    assert not questions, f"begin with a noun or an imperative: {questions}"


@pytest.mark.parametrize("module", MODULES)
def test_functions_of_several_parameters_document_them(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text())
    functions = [node for node in tree.body if isinstance(node, Function) and not node.name.startswith("_")]
    undocumented = {
        function.name
        for function in functions
        if len(parameters(function)) >= 2
        and not is_command(function)
        and "Args:" not in (ast.get_docstring(function) or "")
    }
    excepted = WITHOUT_ARGS.get(module, set())
    assert undocumented == excepted, (
        "document their parameters under `Args:`, or drop the exception that is no longer needed"
    )
